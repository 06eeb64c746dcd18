"""What this installation knows: drivers, profiles and emission factors, loaded once.

The packaged ones, those of plugins and the user's own files come together here.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util.hass_dict import HassKey

from .carbon.factors.library import PACKAGED_FACTORS, FactorLibrary, load_library
from .const import DOMAIN, LOGGER
from .datafile import Problem
from .driver import MeterDriver
from .drivers import PACKAGED as PACKAGED_DRIVERS
from .metering.profile_library import FORMS, PACKAGED, ProfileLibrary, load_profiles
from .metering.profile_schema import ProfileForm
from .plugin import IntensityOffer, Plugin


@dataclass(frozen=True, kw_only=True)
class Libraries:
    """What the integration knows as data, and what it can talk to."""

    profiles: ProfileLibrary
    factors: FactorLibrary
    drivers: Mapping[str, MeterDriver]
    """By their keys."""

    intensity_offers: Mapping[str, IntensityOffer]
    """By the plugin's domain and the offer's key, as `domain.key`."""


_DATA_LIBRARIES: HassKey[asyncio.Future[Libraries]] = HassKey(f"{DOMAIN}_libraries")
_DATA_PLUGINS: HassKey[dict[str, Plugin]] = HassKey(f"{DOMAIN}_plugins")
_DATA_DRIVERS: HassKey[tuple[MeterDriver, ...]] = HassKey(f"{DOMAIN}_drivers")


async def async_get_libraries(hass: HomeAssistant) -> Libraries:
    """Return the libraries: the packaged files, and the user's own on top of them.

    The user's files lie in `<config>/carbon_meter/profiles` and `factors`. What is
    wrong in a file is told in a repair issue with file and line; the rest is used.
    """
    if (future := hass.data.get(_DATA_LIBRARIES)) is None:
        future = hass.data[_DATA_LIBRARIES] = hass.loop.create_future()
        try:
            libraries = await _async_load(hass)
        except BaseException as err:
            del hass.data[_DATA_LIBRARIES]
            future.set_exception(err)
            future.exception()  # whoever else waits gets it; nobody has to
            raise
        future.set_result(libraries)
    return await asyncio.shield(future)


async def async_add_plugin(hass: HomeAssistant, domain: str, plugin: Plugin) -> None:
    """Take what another integration brings; the libraries are loaded anew."""
    hass.data.setdefault(_DATA_PLUGINS, {})[domain] = plugin
    hass.data.pop(_DATA_LIBRARIES, None)
    await async_get_libraries(hass)


async def _async_load(hass: HomeAssistant) -> Libraries:
    """Load everything; packaged drivers win over a plugin's of the same key."""
    if (packaged := hass.data.get(_DATA_DRIVERS)) is None:
        packaged = hass.data[_DATA_DRIVERS] = tuple(driver() for driver in PACKAGED_DRIVERS)
    plugins = hass.data.setdefault(_DATA_PLUGINS, {})
    drivers = {driver.key: driver for plugin in plugins.values() for driver in plugin.drivers}
    drivers |= {driver.key: driver for driver in packaged}
    forms = {form.protocol: form for driver in drivers.values() for form in driver.forms}
    forms |= {form.protocol: form for form in FORMS}
    directories = [path for plugin in plugins.values() for path in plugin.profiles]
    profiles, factors = await hass.async_add_executor_job(
        _load, Path(hass.config.path(DOMAIN)), directories, tuple(forms.values())
    )
    _report(hass, (*profiles.problems, *factors.problems))
    return Libraries(
        profiles=profiles,
        factors=factors,
        drivers=MappingProxyType(drivers),
        intensity_offers=MappingProxyType(
            {
                f"{domain}.{offer.key}": offer
                for domain, plugin in plugins.items()
                for offer in plugin.intensity_sources
            }
        ),
    )


def _load(
    own: Path, directories: Iterable[Path], forms: Iterable[ProfileForm]
) -> tuple[ProfileLibrary, FactorLibrary]:
    return (
        load_profiles([PACKAGED, *directories, own / "profiles"], forms),
        load_library([PACKAGED_FACTORS, own / "factors"]),
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
