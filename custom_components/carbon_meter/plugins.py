"""The other integrations that bring something: asked, checked, followed as they come and go.

Home Assistant's own helper for platforms hides an import that fails and lets a syntax error in
one integration's module stop the others; here each failure is told and stays where it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.const import EVENT_COMPONENT_LOADED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import Integration, IntegrationNotFound, async_get_integration
from homeassistant.setup import ATTR_COMPONENT, EventComponentLoaded
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .driver import MeterDriver
from .drivers import PACKAGED as PACKAGED_DRIVERS
from .guard import guarded
from .metering.profile_library import FORMS
from .metering.profile_schema import ProfileForm
from .plugin import IntensityOffer, Plugin

type Changed = Callable[[], Awaitable[None]]
"""What is called when what the plugins bring is no longer what it was."""

_ASK_LIMIT: Final = 10.0
"""Seconds that an integration may think about what it brings: others wait for it."""


@dataclass(frozen=True, kw_only=True)
class Guest:
    """What one integration brings, as far as it can be used."""

    name: str
    """The integration's title."""

    plugin: Plugin = field(default_factory=Plugin)
    problems: tuple[str, ...] = ()
    by_entry: bool = False
    """Whether the integration is there because of a config entry, and goes with it."""

    away: bool = False


_DATA_GUESTS: HassKey[dict[str, Guest]] = HassKey(f"{DOMAIN}_guests")


@callback
def async_guests(hass: HomeAssistant) -> Mapping[str, Guest]:
    """Return the plugins by the domain of their integration, in the order of the domains."""
    return dict(sorted(hass.data.get(_DATA_GUESTS, {}).items()))


async def async_welcome(hass: HomeAssistant, changed: Changed) -> None:
    """Ask every integration that is loaded for its plugin, and from now on each that comes."""
    guests = hass.data.setdefault(_DATA_GUESTS, {})

    async def ask_newcomer(domain: str) -> None:
        if await _async_ask(hass, domain):
            await changed()

    @callback
    def loaded(event: Event[EventComponentLoaded]) -> None:
        domain = event.data[ATTR_COMPONENT]
        if "." not in domain and domain not in guests:
            hass.async_create_task(ask_newcomer(domain), f"{DOMAIN} plugin of {domain}")

    @callback
    def entry_changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain in guests and guests[entry.domain].by_entry:
            hass.async_create_task(follow(entry), f"{DOMAIN} follows {entry.domain}")

    async def follow(entry: ConfigEntry) -> None:
        """See whether the integration is still there, once a reload is over."""
        async with entry.setup_lock:
            pass
        domain = entry.domain
        away = all(
            other.state is ConfigEntryState.NOT_LOADED
            for other in hass.config_entries.async_entries(domain)
        )
        guest = guests[domain]
        if away == guest.away:
            return
        if away:
            guests[domain] = replace(guest, plugin=Plugin(), problems=(), away=True)
            await changed()
        else:
            await ask_newcomer(domain)

    hass.bus.async_listen(EVENT_COMPONENT_LOADED, loaded)
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, entry_changed)
    here = sorted(hass.config.top_level_components)
    await asyncio.gather(*(_async_ask(hass, domain) for domain in here))


async def _async_ask(hass: HomeAssistant, domain: str) -> bool:
    """Ask an integration for its plugin; return whether it has one, be it faulty."""
    try:
        integration = await async_get_integration(hass, domain)
    except IntegrationNotFound:
        return False
    if domain == DOMAIN or not integration.platforms_exists((DOMAIN,)):
        return False
    guests = hass.data.setdefault(_DATA_GUESTS, {})
    guest = Guest(name=integration.name, by_entry=bool(hass.config_entries.async_entries(domain)))
    # Whoever comes while it is being asked does not ask it again.
    guests[domain] = guest
    try:
        plugin, problems = inspected(domain, await _async_offered(hass, integration))
    except Exception as err:  # noqa: BLE001  # whatever it is, it is told
        LOGGER.exception("%s brings a plugin that cannot be had", integration.name)
        # Whatever stops an import is hidden behind an ImportError that names only the module.
        cause = err.__cause__ if isinstance(err, ImportError) and err.__cause__ else err
        plugin, problems = Plugin(), [f"{type(cause).__name__}: {cause}"]
    guests[domain] = replace(guest, plugin=plugin, problems=tuple(problems))
    return True


async def _async_offered(hass: HomeAssistant, integration: Integration) -> object:
    """Return what an integration's `carbon_meter` module gives."""
    platform: Any = await integration.async_get_platform(DOMAIN)
    try:
        async with asyncio.timeout(_ASK_LIMIT):
            return await platform.async_get_carbon_meter_plugin(hass)
    except TimeoutError as err:
        raise TimeoutError(f"no answer within {_ASK_LIMIT:g} s") from err


def inspected(domain: str, offered: object) -> tuple[Plugin, list[str]]:
    """Return what can be used of a plugin, and what is wrong with the rest."""
    if not isinstance(offered, Plugin):
        return Plugin(), [f"{offered!r} is not a Plugin"]
    problems: list[str] = []
    drivers: dict[str, MeterDriver] = {}
    for driver in _each(offered.drivers, "drivers", problems):
        if problem := _about_driver(domain, driver) or _about_key(driver.key, drivers):
            problems.append(problem)
            continue
        try:
            drivers[driver.key] = guarded(driver)
        except Exception as err:  # noqa: BLE001  # whatever it is, the other drivers are used
            problems.append(f"{type(driver).__name__}: {err}")
    sources: dict[str, IntensityOffer] = {}
    for offer in _each(offered.intensity_sources, "intensity_sources", problems):
        if not isinstance(offer, IntensityOffer):
            problems.append(f"intensity_sources: {offer!r} is not an IntensityOffer")
        elif problem := _about_key(offer.key, sources):
            problems.append(problem)
        else:
            sources[offer.key] = offer
    profiles = []
    for path in _each(offered.profiles, "profiles", problems):
        if isinstance(path, Path):
            profiles.append(path)
        else:
            problems.append(f"profiles: {path!r} is not a Path")
    plugin = Plugin(
        drivers=tuple(drivers.values()),
        profiles=tuple(profiles),
        intensity_sources=tuple(sources.values()),
    )
    return plugin, problems


def _each(offered: object, what: str, problems: list[str]) -> Iterable[Any]:
    """Return the items of a field that should be a tuple."""
    if isinstance(offered, tuple | list):
        return offered
    problems.append(f"{what}: {offered!r} is not a tuple")
    return ()


def _about_driver(domain: str, driver: object) -> str | None:
    """Return what is wrong with a driver, None if nothing is."""
    if not isinstance(driver, MeterDriver):
        return f"drivers: {driver!r} is not an instance of a MeterDriver"
    kind = type(driver).__name__
    key, name = getattr(driver, "key", None), getattr(driver, "name", None)
    if not isinstance(key, str) or not isinstance(name, str):
        return f"{kind}: key and name must be texts"
    forms = driver.forms
    if not isinstance(forms, tuple) or not all(isinstance(form, ProfileForm) for form in forms):
        return f"{kind}: forms must be a tuple of ProfileForm"
    if problem := _about_own("key", key, domain, {driver.key for driver in PACKAGED_DRIVERS}):
        return f"{kind}: {problem}"
    packaged = {form.protocol for form in FORMS}
    problems = (_about_own("protocol", form.protocol, domain, packaged) for form in forms)
    return next((f"{kind}: {problem}" for problem in problems if problem), None)


def _about_own(what: str, key: str, domain: str, packaged: Collection[str]) -> str | None:
    """Return why a key could be another integration's, None if it cannot."""
    if key in packaged:
        return f"the {what} {key!r} is taken by Carbon Meter itself"
    if key != domain and not key.startswith(f"{domain}."):
        return f"the {what} {key!r} must be {domain!r} or begin with '{domain}.'"
    return None


def _about_key(key: object, taken: Mapping[str, object]) -> str | None:
    if not isinstance(key, str) or not key:
        return f"the key {key!r} is not a text"
    return f"the key {key!r} is used twice" if key in taken else None
