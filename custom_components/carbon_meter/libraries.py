"""The profiles and emission factors of this installation, loaded once."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .carbon.factors.library import PACKAGED_FACTORS, FactorLibrary, load_library
from .const import DOMAIN, LOGGER
from .datafile import Problem
from .metering.profile_library import PACKAGED, ProfileLibrary, load_profiles


@dataclass(frozen=True, kw_only=True)
class Libraries:
    """What the integration knows as data."""

    profiles: ProfileLibrary
    factors: FactorLibrary


_DATA_LIBRARIES: HassKey[asyncio.Future[Libraries]] = HassKey(f"{DOMAIN}_libraries")


async def async_get_libraries(hass: HomeAssistant) -> Libraries:
    """Return the libraries: the packaged files, and the user's own on top of them.

    The user's files lie in `<config>/carbon_meter/profiles` and `factors`. What is
    wrong in a file is told in a repair issue with file and line; the rest is used.
    """
    if (future := hass.data.get(_DATA_LIBRARIES)) is None:
        future = hass.data[_DATA_LIBRARIES] = hass.loop.create_future()
        try:
            libraries = await hass.async_add_executor_job(_load, Path(hass.config.path(DOMAIN)))
        except BaseException as err:
            del hass.data[_DATA_LIBRARIES]
            future.set_exception(err)
            future.exception()  # whoever else waits gets it; nobody has to
            raise
        _report(hass, (*libraries.profiles.problems, *libraries.factors.problems))
        future.set_result(libraries)
    return await asyncio.shield(future)


def _load(own: Path) -> Libraries:
    return Libraries(
        profiles=load_profiles([PACKAGED, own / "profiles"]),
        factors=load_library([PACKAGED_FACTORS, own / "factors"]),
    )


@callback
def _report(hass: HomeAssistant, problems: Iterable[Problem]) -> None:
    """Raise one repair issue for each faulty file."""
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        by_file.setdefault(problem.file, []).append(problem)
    for file, found in by_file.items():
        for problem in found:
            LOGGER.error("%s", problem)
        ir.async_create_issue(
            hass,
            DOMAIN,
            f"data_file_{sha256(file.encode()).hexdigest()[:12]}",
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="data_file",
            translation_placeholders={
                "file": file,
                "problems": "\n".join(f"- {problem.line}: {problem.message}" for problem in found),
            },
        )
