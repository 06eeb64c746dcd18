"""Diagnostics: what a bug report needs, without what names the home."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import (
    CONF_ADDRESS,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_TOKEN,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant

from .carbon.archive.errors import ArchiveError
from .const import (
    CONF_DRIVER,
    CONF_INSTANCE,
    CONF_KEY,
    CONF_SERIAL,
    METER_KEYS,
    SUBENTRY_METER,
)
from .contracts import CONF_ORIGIN
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry, Site
from .drivers import PACKAGED
from .entries import is_hub
from .hub_entry.diagnostics import async_hub_diagnostics
from .libraries import async_get_libraries
from .loads.load import Load
from .membership.diagnostics import membership_diagnostics
from .membership.keys import CONF_BROKER, CONF_COMMUNITY, CONF_COMMUNITY_NAME
from .restatement import audit_as_dict

_LATEST: Final = 20
"""Entries of the audit trail, and runs of a load."""

_REDACT: Final = {
    CONF_ADDRESS,
    CONF_BROKER,
    CONF_COMMUNITY,
    CONF_COMMUNITY_NAME,
    CONF_HOST,
    CONF_INSTANCE,
    CONF_KEY,
    CONF_PASSWORD,
    CONF_SERIAL,
    CONF_TOKEN,
    CONF_USERNAME,
    CONF_ORIGIN,
    "title",
    "unique_id",
}


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry
) -> dict[str, Any]:
    """Return the state of a site, or of a hub."""
    if is_hub(entry):
        return await async_hub_diagnostics(hass, entry)
    libraries = await async_get_libraries(hass)
    problems = (
        *libraries.profiles.problems,
        *libraries.factors.problems,
        *libraries.networks.problems,
    )
    diagnostics: dict[str, Any] = {
        "entry": async_redact_data(entry.as_dict(), _REDACT | _unknown_addresses(entry)),
        # The folder may name a person.
        "data_file_problems": [
            str(replace(problem, file=Path(problem.file).name)) for problem in problems
        ],
        "plugins": sorted(libraries.plugin_problems),
    }
    site: Site | None = getattr(entry, "runtime_data", None)
    if site is None:
        return diagnostics | {"state": entry.state.value}
    now = site.intensity.now()
    return diagnostics | {
        "intensity": asdict(now) if now is not None else None,
        "intensity_sources": [asdict(source.info) for source in site.intensity.ladder.sources],
        "book": {"totals": site.keeper.totals, **await _archive(hass, site)},
        "meters": {subentry_id: _meter(meter) for subentry_id, meter in site.meters.items()},
        "loads": {load_id: _load(load) for load_id, load in site.planner.loads.items()},
        "memberships": membership_diagnostics(hass, entry),
    }


async def _archive(hass: HomeAssistant, site: Site) -> dict[str, Any]:
    """Return what is known of a site's archive, or why it cannot be read: a reload closes it."""
    archive = site.keeper.archive
    try:
        trail = await hass.async_add_executor_job(archive.audit, _LATEST)
        size = await hass.async_add_executor_job(archive.size)
    except ArchiveError as err:
        return {"archive_error": str(err).replace(str(hass.config.config_dir), "")}
    return {"audit_trail": [audit_as_dict(one) for one in trail], "archive_bytes": size}


def _unknown_addresses(entry: CarbonMeterConfigEntry) -> set[str]:
    """Return the keys that drivers of other integrations keep: nobody knows what they hold."""
    packaged = {driver.key for driver in PACKAGED}
    return {
        key
        for subentry in entry.get_subentries_of_type(SUBENTRY_METER)
        if subentry.data.get(CONF_DRIVER) not in packaged
        for key in subentry.data
        if key not in METER_KEYS
    }


def _meter(meter: MeterCoordinator) -> dict[str, Any]:
    reading = meter.data
    account = meter.account
    return {
        "profile": meter.profile.id,
        "confirmed": meter.profile.confirmed,
        "requests_per_reading": meter.requests,
        "last_update_success": meter.last_update_success,
        "last_error": _without_address(meter, str(meter.last_exception))
        if meter.last_exception
        else None,
        "reading": dict(reading.values) if reading else None,
        "faults": [str(fault) for fault in reading.faults] if reading else [],
        "connection": dict(meter.connection.details),
        "absent": sorted(meter.absent),
        "unknown": sorted(set(meter.profile.quantities) - set(reading.values)) if reading else [],
        "frozen_for": account.frozen_for,
        "booked_until": account.booked_until,
        "total": asdict(account.ledger.total),
        "open_hours": {
            str(start): asdict(tally) for start, tally in sorted(account.ledger.hours.items())
        },
        "incidents": [asdict(incident) for incident in account.incidents],
    }


def _load(load: Load) -> dict[str, Any]:
    """Return what is known of a load; entities and names stand with the entry's data."""
    plan = load.plan
    return {
        "kind": load.kind.value,
        "seen": None if load.seen is None else asdict(load.seen),
        "target": asdict(load.target),
        "plan": None if plan is None else plan.as_dict(),
        "plan_made": load.plan_made,
        "deadline": load.deadline,
        "is_at_risk": load.is_at_risk,
        "override_until": load.override_until,
        "wishes": dict(load.wishes),
        "job": load.job.as_dict(),
        "pending": load.realised.pending,
        "booked": [booked.as_dict() for booked in load.realised.history[-_LATEST:]],
    }


def _without_address(meter: MeterCoordinator, text: str) -> str:
    """Return an error message without what tells where the meter is, or which one it is."""
    data = meter.subentry.data
    for secret in (data.get(CONF_HOST), data[CONF_SERIAL], meter.subentry.title):
        if secret:
            text = text.replace(secret, REDACTED)
    return text
