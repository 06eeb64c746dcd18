"""What the flows make of a meter that somebody wants: its data, its name, what tells it apart."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigSubentryData,
    ConfigSubentryDataWithId,
)
from homeassistant.const import CONF_MODEL
from homeassistant.core import HomeAssistant

from ..const import (
    CONF_DRIVER,
    CONF_INTERVAL,
    CONF_INVERTED,
    CONF_MANUFACTURER,
    CONF_PARENT,
    CONF_POWER_INVERTED,
    CONF_PROFILE,
    CONF_ROLE,
    CONF_SERIAL,
    CONF_WRITE_INTERVAL,
    DEFAULT_INTERVAL,
    DEFAULT_WRITE_INTERVAL,
    SUBENTRY_METER,
    Role,
)
from ..driver import MeterDriver
from ..entries import async_sites
from ..metering.candidate import Candidate


@dataclass(frozen=True, kw_only=True)
class MeterDraft:
    """A meter that is about to be added."""

    title: str
    data: Mapping[str, Any]
    unique_id: str
    subentry_id: str | None = None
    """Known beforehand where other drafts name it as their parent."""

    def as_subentry(self) -> ConfigSubentryData:
        """Return the form in which a new entry takes it."""
        data = ConfigSubentryData(
            data=self.data,
            subentry_type=SUBENTRY_METER,
            title=self.title,
            unique_id=self.unique_id,
        )
        if self.subentry_id is None:
            return data
        return ConfigSubentryDataWithId(**data, subentry_id=self.subentry_id)


def meter_data(
    driver: MeterDriver,
    address: Mapping[str, Any],
    candidate: Candidate,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what is kept of a meter; `settings` are what the user says of it."""
    data = {
        CONF_DRIVER: driver.key,
        **address,
        **candidate.settings,
        CONF_PROFILE: candidate.profile.id,
        CONF_MANUFACTURER: candidate.manufacturer or candidate.profile.vendor,
        CONF_MODEL: candidate.model or candidate.profile.name,
        CONF_SERIAL: candidate.serial,
        CONF_ROLE: settings.get(CONF_ROLE, Role.GRID.value),
        CONF_INVERTED: settings.get(CONF_INVERTED, False),
        CONF_POWER_INVERTED: settings.get(CONF_POWER_INVERTED, False),
        CONF_INTERVAL: settings.get(CONF_INTERVAL, DEFAULT_INTERVAL),
        CONF_WRITE_INTERVAL: settings.get(CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL),
    }
    if parent := settings.get(CONF_PARENT):
        data[CONF_PARENT] = parent
    return data


def meter_unique_id(
    driver: MeterDriver,
    address: Mapping[str, Any],
    candidate: Candidate,
    candidates: Sequence[Candidate] = (),
) -> str:
    """Return what tells this meter from every other: its serial number, else where it is.

    `candidates` are all that answer at the address: meters of one device may share a number.
    """
    if not candidate.serial:
        where = {**address, **candidate.settings, CONF_PROFILE: candidate.profile.id}
        return place_id(driver, where)
    maker = (candidate.manufacturer or candidate.profile.vendor).lower()
    unique_id = f"{maker}:{candidate.serial}"
    alike = [other for other in candidates if other.certain and other.serial == candidate.serial]
    if len(alike) < 2:
        return unique_id
    return ":".join([unique_id, *_values(candidate.settings)])


def _values(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a driver has to know of a meter, as texts."""
    for value in settings.values():
        if isinstance(value, Mapping):
            yield from _values(value)
        else:
            yield str(value)


def place_id(driver: MeterDriver, data: Mapping[str, Any]) -> str:
    """Return where a meter is as a text."""
    place = driver.place(data)
    parts = place if isinstance(place, tuple) else (place,)
    return ":".join(str(part) for part in parts)


def is_configured(
    hass: HomeAssistant, drivers: Mapping[str, MeterDriver], draft: MeterDraft
) -> bool:
    """Return whether any site has the meter: by its number, or by its very place."""
    place = _place(drivers, draft.data)
    return any(
        subentry.unique_id == draft.unique_id
        or (place is not None and _place(drivers, subentry.data) == place)
        for entry in async_sites(hass)
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
    )


def _place(
    drivers: Mapping[str, MeterDriver], data: Mapping[str, Any]
) -> tuple[str, Hashable] | None:
    """Return how and where a meter is read, None where its driver is not there."""
    driver = drivers.get(data[CONF_DRIVER])
    return (driver.key, driver.place(data)) if driver is not None else None


def other_meters(entry: ConfigEntry, except_for: str | None = None) -> dict[str, str]:
    """Return the titles of a site's meters by subentry id, without one."""
    return {
        subentry.subentry_id: subentry.title
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
        if subentry.subentry_id != except_for
    }
