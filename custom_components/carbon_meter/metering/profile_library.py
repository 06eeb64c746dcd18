"""All profiles of an installation: the packaged ones and the user's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
import re
from types import MappingProxyType
from typing import Final

from ..datafile import DataFileError, Problem
from .dlt645.schema import DLT645
from .json.schema import HTTP, MQTT
from .modbus.schema import MODBUS, SUNSPEC
from .profile import Profile
from .profile_schema import ProfileForm, load_profile
from .speedwire.schema import SPEEDWIRE

PACKAGED: Final = Path(__file__).parent / "profiles"

FORMS: Final = (MODBUS, SUNSPEC, SPEEDWIRE, DLT645, HTTP, MQTT)
"""The packaged protocols."""


@dataclass(frozen=True, kw_only=True)
class ProfileLibrary:
    """Profiles by id, and what was wrong with the files that could not be used."""

    profiles: Mapping[str, Profile]
    problems: tuple[Problem, ...] = ()

    def of[P: Profile](self, kind: type[P]) -> dict[str, P]:
        """Return the profiles of one kind by id."""
        return {
            profile.id: profile for profile in self.profiles.values() if isinstance(profile, kind)
        }

    def __getitem__(self, profile_id: str) -> Profile:
        """Return a profile; raises KeyError for an id that no file has."""
        return self.profiles[profile_id]


def load_profiles(
    directories: Iterable[Path] = (PACKAGED,),
    forms: Iterable[ProfileForm] = FORMS,
    *,
    known: Mapping[str, Profile] = MappingProxyType({}),
) -> ProfileLibrary:
    """Load every profile of the directories; a later one replaces an id of an earlier one.

    `known` are profiles that are there before the first directory. Files may lie in folders
    below. `forms` are the protocols that are understood. A faulty file is left out and named
    in `problems`; it affects no other. A directory that does not exist is skipped. Reads files:
    call it in an executor.
    """
    forms = tuple(forms)
    profiles = dict(known)
    problems: list[Problem] = []
    for directory in directories:
        here: dict[str, Path] = {}
        for path in sorted((*directory.rglob("*.yaml"), *directory.rglob("*.yml"))):
            try:
                profile = load_profile(path, forms)
            except DataFileError as err:
                problems.extend(err.problems)
                # A meter that it was meant for is not read by another map in silence.
                profiles.pop(_meant_for(path), None)
                continue
            if (other := here.get(profile.id)) is not None:
                problems.append(
                    Problem(
                        file=str(path),
                        line=1,
                        message=f"the id {profile.id} is taken by {other.name}",
                    )
                )
                continue
            here[profile.id] = path
            profiles[profile.id] = profile
    return ProfileLibrary(profiles=MappingProxyType(profiles), problems=tuple(problems))


def _meant_for(path: Path) -> str:
    """Return the id in a file that cannot be used, as well as it can be made out."""
    try:
        found = re.search(r"^id:\s*([a-z0-9_]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError, UnicodeDecodeError:
        return ""
    return found.group(1) if found else ""
