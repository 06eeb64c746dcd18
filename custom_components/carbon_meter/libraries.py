"""What this installation knows: drivers, profiles, factors and networks, loaded once.

The packaged ones, those of plugins and the user's own files come together here. A plugin
adds to what is packaged; only the user's files replace what has the same id.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .carbon.factors.library import PACKAGED_FACTORS, FactorLibrary, load_library
from .const import (
    CONF_DRIVER,
    CONF_NETWORK,
    CONF_OFFER,
    CONF_PROFILE,
    CONF_SOURCES,
    DOMAIN,
    SUBENTRY_METER,
)
from .driver import MeterDriver
from .drivers import PACKAGED as PACKAGED_DRIVERS
from .entries import async_sites
from .library_problems import async_report
from .metering.profile_library import FORMS, PACKAGED, ProfileLibrary, load_profiles
from .metering.profile_schema import ProfileForm
from .networks import NetworkLibrary, load_networks
from .plugin import IntensityOffer, Plugin
from .plugins import async_guests


@dataclass(frozen=True, kw_only=True)
class Libraries:
    """What the integration knows as data, and what it can talk to."""

    profiles: ProfileLibrary
    factors: FactorLibrary
    factors_edition: str
    """Tells the user's factor files from what they were before."""

    networks: NetworkLibrary
    """What the user's files describe."""

    drivers: Mapping[str, MeterDriver]
    """By their keys."""

    intensity_offers: Mapping[str, IntensityOffer]
    """By the plugin's domain and the offer's key, as `domain.key`."""

    plugin_problems: Mapping[str, Sequence[str]]
    """What is wrong with the plugins, by the domain of their integration."""


_DATA_LIBRARIES: HassKey[asyncio.Task[Libraries]] = HassKey(f"{DOMAIN}_libraries")
_DATA_LOCK: HassKey[asyncio.Lock] = HassKey(f"{DOMAIN}_libraries_lock")
_DATA_DRIVERS: HassKey[tuple[MeterDriver, ...]] = HassKey(f"{DOMAIN}_drivers")

_SET_UP: Final = frozenset(
    {
        ConfigEntryState.LOADED,
        ConfigEntryState.SETUP_ERROR,
        ConfigEntryState.SETUP_IN_PROGRESS,
        ConfigEntryState.SETUP_RETRY,
    }
)
"""States of a site that may have been set up with what is no longer true."""


async def async_get_libraries(hass: HomeAssistant) -> Libraries:
    """Return the libraries: packaged, of plugins, and the user's own on top of them.

    The user's files lie in `<config>/carbon_meter/profiles`, `factors` and `networks`. What is
    wrong in a file is told in a repair issue with file and line; the rest is used.
    """
    task = hass.data.get(_DATA_LIBRARIES)
    return await asyncio.shield(_begin(hass) if task is None else task)


async def async_renew_libraries(hass: HomeAssistant) -> None:
    """Load everything anew; each site for which something has changed is set up anew."""
    if _DATA_LIBRARIES not in hass.data:
        return
    async with hass.data.setdefault(_DATA_LOCK, asyncio.Lock()):
        before = await async_get_libraries(hass)
        after = await asyncio.shield(_begin(hass))
        for entry in async_sites(hass):
            if entry.state in _SET_UP and _concerns(entry, before, after):
                hass.config_entries.async_schedule_reload(entry.entry_id)


def _begin(hass: HomeAssistant) -> asyncio.Task[Libraries]:
    """Begin to load; whoever asks from now on waits for this."""

    async def load() -> Libraries:
        """Nobody who waits and gives up takes the others' libraries along."""
        try:
            libraries = await _async_load(hass)
        except BaseException:
            if hass.data.get(_DATA_LIBRARIES) is task:
                del hass.data[_DATA_LIBRARIES]
            raise
        if hass.data.get(_DATA_LIBRARIES) is task:
            problems = (
                *libraries.profiles.problems,
                *libraries.factors.problems,
                *libraries.networks.problems,
            )
            async_report(hass, problems, libraries.plugin_problems)
        return libraries

    task = hass.async_create_task(load(), f"{DOMAIN} libraries", eager_start=False)
    hass.data[_DATA_LIBRARIES] = task
    return task


def _concerns(entry: ConfigEntry, before: Libraries, after: Libraries) -> bool:
    """Return whether a site would be another one with other libraries."""
    if before.factors_edition != after.factors_edition:
        return True
    for source in entry.options.get(CONF_SOURCES, ()):
        offer: str = source.get(CONF_OFFER, "")
        if before.intensity_offers.get(offer) != after.intensity_offers.get(offer):
            return True
    network: str = entry.options.get(CONF_NETWORK, "")
    if before.networks.networks.get(network) != after.networks.networks.get(network):
        return True
    for subentry in entry.get_subentries_of_type(SUBENTRY_METER):
        driver: str = subentry.data.get(CONF_DRIVER, "")
        profile: str = subentry.data.get(CONF_PROFILE, "")
        if before.drivers.get(driver) is not after.drivers.get(driver):
            return True
        if before.profiles.profiles.get(profile) != after.profiles.profiles.get(profile):
            return True
    return False


async def _async_load(hass: HomeAssistant) -> Libraries:
    """Load everything."""
    if (packaged := hass.data.get(_DATA_DRIVERS)) is None:
        packaged = hass.data[_DATA_DRIVERS] = tuple(driver() for driver in PACKAGED_DRIVERS)
    guests = async_guests(hass)
    plugins = {domain: guest.plugin for domain, guest in guests.items()}
    # Keys of plugins are their own: what they may be is checked when they come.
    drivers = {
        driver.key: driver
        for driver in (*packaged, *(each for plugin in plugins.values() for each in plugin.drivers))
    }
    forms = {form.protocol: form for form in FORMS}
    forms |= {form.protocol: form for driver in drivers.values() for form in driver.forms}
    offers = {
        f"{domain}.{offer.key}": offer
        for domain, plugin in plugins.items()
        for offer in plugin.intensity_sources
    }
    own = Path(hass.config.path(DOMAIN))
    networks = await hass.async_add_executor_job(load_networks, own / "networks")
    profiles, problems, factors, edition = await hass.async_add_executor_job(
        _load, own, plugins, tuple(forms.values())
    )
    return Libraries(
        profiles=profiles,
        factors=factors,
        factors_edition=edition,
        networks=networks,
        drivers=MappingProxyType(drivers),
        intensity_offers=MappingProxyType(offers),
        plugin_problems=MappingProxyType(
            {domain: (*guest.problems, *problems[domain]) for domain, guest in guests.items()}
        ),
    )


def _load(
    own: Path, plugins: Mapping[str, Plugin], forms: Sequence[ProfileForm]
) -> tuple[ProfileLibrary, Mapping[str, Sequence[str]], FactorLibrary, str]:
    """Read the files: profiles, what is wrong with those of plugins, factors and their edition."""
    packaged = load_profiles([PACKAGED], forms)
    known, problems = dict(packaged.profiles), {}
    for domain, plugin in plugins.items():
        problems[domain] = _missing(plugin.profiles)
        brought = load_profiles(plugin.profiles, forms)
        problems[domain] += [str(problem) for problem in brought.problems]
        for profile_id, profile in brought.profiles.items():
            if profile_id in known:
                problems[domain].append(f"the profile id {profile_id} is taken")
            else:
                known[profile_id] = profile
    profiles = load_profiles([own / "profiles"], forms, known=known)
    if packaged.problems:
        profiles = ProfileLibrary(
            profiles=profiles.profiles, problems=(*packaged.problems, *profiles.problems)
        )
    factors = load_library([PACKAGED_FACTORS, own / "factors"])
    return profiles, problems, factors, _edition(own / "factors")


def _missing(directories: Iterable[Path]) -> list[str]:
    return [f"{path} is not a directory" for path in directories if not path.is_dir()]


def _edition(directory: Path) -> str:
    """Return what changes with any file of a directory."""
    digest = sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()
