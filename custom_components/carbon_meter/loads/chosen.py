"""The site and the loads that an action was asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN
from ..data import CarbonMeterConfigEntry, Site
from ..entries import async_sites
from ..refusals import refused
from .load import Load
from .planner import SitePlanner


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Loads of one site."""

    entry: CarbonMeterConfigEntry
    site: Site
    """What the entry had when they were chosen: it may be unloaded while an action is at work."""

    loads: tuple[Load, ...]

    @property
    def planner(self) -> SitePlanner:
        """Return what plans them."""
        return self.site.planner

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of their subentries."""
        return tuple(load.subentry.subentry_id for load in self.loads)


@callback
def async_site(hass: HomeAssistant, chosen: str | None) -> CarbonMeterConfigEntry:
    """Return the site that was chosen, the only one without a choice.

    Raises ServiceValidationError for one that is not there or not loaded.
    """
    entries: list[CarbonMeterConfigEntry] = async_sites(
        hass, include_ignore=False, include_disabled=False
    )
    if chosen is None and len(entries) > 1:
        raise refused("choose_site")
    found = [entry for entry in entries if chosen in {None, entry.entry_id}]
    if not found:
        raise refused("unknown_site", site=chosen or "-")
    return _loaded(found[0])


@callback
def async_loads(hass: HomeAssistant, told: Iterable[str], site: str | None = None) -> list[Chosen]:
    """Return the loads of devices, entities or subentries, by site; all of a site without any.

    Raises ServiceValidationError for what is no load, and where a site has none.
    """
    wanted = list(dict.fromkeys(told))
    if not wanted:
        entry = async_site(hass, site)
        loads = tuple(entry.runtime_data.planner.loads.values())
        if not loads:
            raise refused("no_loads", site=entry.title)
        return [Chosen(entry=entry, site=entry.runtime_data, loads=loads)]
    by_site: dict[str, tuple[CarbonMeterConfigEntry, dict[str, Load]]] = {}
    for name in wanted:
        entry, load = _load(hass, name)
        if site is not None and entry.entry_id != site:
            raise refused("load_of_other_site", load=load.subentry.title, site=entry.title)
        by_site.setdefault(entry.entry_id, (entry, {}))[1][load.subentry.subentry_id] = load
    return [
        Chosen(entry=entry, site=entry.runtime_data, loads=tuple(loads.values()))
        for entry, loads in by_site.values()
    ]


def _load(hass: HomeAssistant, name: str) -> tuple[CarbonMeterConfigEntry, Load]:
    """Return the load that a device, an entity or a subentry belongs to, with its site."""
    entries: list[CarbonMeterConfigEntry] = async_sites(hass)
    subentry_id = _subentry(hass, name)
    for entry in entries:
        if subentry_id in entry.subentries:
            load = _loaded(entry).runtime_data.planner.loads.get(subentry_id)
            if load is not None:
                return entry, load
    raise refused("unknown_load", load=name)


def _subentry(hass: HomeAssistant, name: str) -> str:
    """Return the id of the subentry that a name stands for; the name itself, where for none."""
    if (entity := er.async_get(hass).async_get(name)) is not None:
        return entity.config_subentry_id or name
    if (device := dr.async_get(hass).async_get(name)) is not None:
        return next((one for domain, one in device.identifiers if domain == DOMAIN), name)
    return name


def _loaded(entry: CarbonMeterConfigEntry) -> CarbonMeterConfigEntry:
    """Return a site that is loaded."""
    if entry.state is not ConfigEntryState.LOADED:
        raise refused("site_not_loaded", site=entry.title)
    return entry
