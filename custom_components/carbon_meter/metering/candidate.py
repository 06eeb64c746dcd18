"""A meter that may be what answers, for somebody to confirm."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .profile import Profile
from .readings import Reading


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One meter that may be what answers."""

    profile: Profile
    settings: Mapping[str, Any]
    """What the driver has to know of it beside the address that was asked."""

    certain: bool
    """Whether the device itself proves it, and its values do not speak against it."""

    reading: Reading
    score: float = 0.0
    """How much speaks for it, from 0 to 1, which only what is certain has. For ranking."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    """Empty where the device does not tell it."""

    @property
    def name(self) -> str:
        """Return maker and model as the device says them, else as the profile does."""
        maker = self.manufacturer or self.profile.vendor
        model = self.model or self.profile.name
        return model if model.lower().startswith(maker.lower()) else f"{maker} {model}"


@dataclass(frozen=True, kw_only=True)
class Identification:
    """What was found behind one address."""

    candidates: tuple[Candidate, ...]
    """Best first. Several certain ones are several meters."""

    seen: tuple[str, ...]
    """What was said, for people who have to find out what it is."""
