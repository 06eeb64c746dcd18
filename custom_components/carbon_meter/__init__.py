"""Carbon Meter: see and lower the carbon of a site's energy."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv, issue_registry as ir
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.helpers.integration_platform import async_process_integration_platforms
from homeassistant.helpers.typing import ConfigType

from .carbon.account import MeterAccount
from .const import (
    CONF_DRIVER,
    CONF_INTERVAL,
    CONF_INVERTED,
    CONF_PROFILE,
    CONF_ROLE,
    DOMAIN,
    LOGGER,
    SUBENTRY_METER,
    Role,
)
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry, Site
from .drivers.modbus import ModbusDriver
from .intensity import SiteIntensity
from .libraries import Libraries, async_add_plugin, async_get_libraries
from .plugin import Plugin
from .record import Record, async_recorded_total
from .store import SiteStore

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS: Final = (Platform.SENSOR,)

_RECORD_SECOND: Final = 20
"""Second of the first minute at which the hour before is written: every meter has been read."""


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Load profiles and emission factors ahead of the first site, and what plugins bring."""
    await async_process_integration_platforms(
        hass, DOMAIN, _async_take_plugin, wait_for_platforms=True
    )
    await async_get_libraries(hass)
    return True


async def _async_take_plugin(hass: HomeAssistant, domain: str, platform: Any) -> None:
    """Take what an integration offers; sites that have waited for it are set up anew."""
    plugin: Plugin = await platform.async_get_carbon_meter_plugin(hass)
    await async_add_plugin(hass, domain, plugin)
    for entry in hass.config_entries.async_entries(DOMAIN):
        site: Site | None = getattr(entry, "runtime_data", None)
        if entry.state is ConfigEntryState.SETUP_ERROR or (site is not None and site.left_out):
            hass.config_entries.async_schedule_reload(entry.entry_id)


async def async_setup_entry(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> bool:
    """Set up a site with its meters."""
    # First of all: a meter that is added while this one is being read must not be missed.
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    subentries = entry.get_subentries_of_type(SUBENTRY_METER)

    libraries = await async_get_libraries(hass)
    store = SiteStore(hass, entry.entry_id)
    stored = await store.async_load()
    intensity = SiteIntensity(hass, entry.entry_id, entry.options, libraries.factors)
    intensity.restore(stored.get("intensity"))

    stored_meters: Mapping[str, Any] = stored.get("meters", {})
    meters: dict[str, MeterCoordinator] = {}
    left_out: list[HomeAssistantError] = []
    for subentry in subentries:
        try:
            meters[subentry.subentry_id] = await _meter(
                hass, entry, subentry, libraries, intensity, stored_meters.get(subentry.subentry_id)
            )
        except HomeAssistantError as err:
            LOGGER.error("%s", err)
            left_out.append(err)
    if left_out and not meters:
        raise left_out[0]

    for subentry_id, meter in meters.items():
        if subentry_id not in stored_meters:
            recorded = await async_recorded_total(hass, subentry_id)
            if recorded is not None:
                LOGGER.warning("%s: its file was lost; the record is continued", meter.name)
                meter.account.ledger.continue_from(*recorded)

    record = Record(hass, (entry.entry_id, entry.title), intensity, meters)
    if "record" in stored:
        record.restore(stored["record"])
    entry.runtime_data = Site(
        intensity=intensity, meters=meters, store=store, record=record, left_out=bool(left_out)
    )

    # A changed intensity holds from the moment it changed: it is listened to before anything
    # is read.
    entry.async_on_unload(intensity.async_start())
    try:
        await _first_readings(list(meters.values()), known=bool(stored_meters))
    except BaseException:
        await _close(meters.values())
        raise
    for meter in meters.values():
        meter.async_follow()

    _keep(hass, entry, stored_meters)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def _close(meters: Iterable[MeterCoordinator]) -> None:
    """Let go of what the meters' connections hold."""
    for meter in meters:
        await meter.connection.async_close()


async def _first_readings(meters: Sequence[MeterCoordinator], *, known: bool) -> None:
    """Read every meter once, side by side.

    Raises ConfigEntryNotReady when none answers at a site that is not `known`: of which
    there is nothing to show. Else one that does not answer is told once and polled on.
    """
    results = await asyncio.gather(
        *(meter.async_config_entry_first_refresh() for meter in meters), return_exceptions=True
    )
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures and len(failures) == len(meters) and not known:
        raise failures[0]
    for failure in failures:
        if not isinstance(failure, ConfigEntryNotReady):
            raise failure
        LOGGER.error("%s", failure)


async def _meter(  # noqa: PLR0913, PLR0917  # what makes up a meter
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    subentry: ConfigSubentry,
    libraries: Libraries,
    intensity: SiteIntensity,
    stored: Mapping[str, Any] | None,
) -> MeterCoordinator:
    """Return a meter with its account as it was before the restart.

    Raises ConfigEntryError without a profile, HomeAssistantError when the line is in use
    with other settings.
    """
    data = subentry.data
    driver = libraries.drivers.get(data.get(CONF_DRIVER, ModbusDriver.key))
    profile = libraries.profiles.profiles.get(data[CONF_PROFILE])
    issue_id = f"unknown_profile_{subentry.subentry_id}"
    if driver is None or profile is None:
        placeholders = {"meter": subentry.title, "profile": data[CONF_PROFILE]}
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="unknown_profile",
            translation_placeholders=placeholders,
        )
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="unknown_profile",
            translation_placeholders=placeholders,
        )
    ir.async_delete_issue(hass, DOMAIN, issue_id)
    connection = await driver.async_open(hass, entry, data, profile)
    poll_interval = float(data[CONF_INTERVAL])
    weighed = Role(data[CONF_ROLE]).is_consumption
    if stored is None:
        account = MeterAccount(
            profile, intensity.ladder, poll_interval=poll_interval, weighed=weighed
        )
    else:
        account = MeterAccount.from_dict(
            stored, profile, intensity.ladder, poll_interval=poll_interval, weighed=weighed
        )
        if stored["inverted"] != data[CONF_INVERTED]:
            account.start_counters_anew()
        account.ledger.publish_again()
    return MeterCoordinator(
        hass,
        entry,
        subentry,
        connection=connection,
        profile=profile,
        account=account,
        intensity=intensity,
    )


@callback
def _keep(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, stored_meters: Mapping[str, Any]
) -> None:
    """Keep polling, storing and recording while the site is loaded.

    What is stored of a meter that cannot be read now stays as it is.
    """
    site = entry.runtime_data
    kept = {
        subentry_id: stored
        for subentry_id, stored in stored_meters.items()
        if subentry_id in entry.subentries and subentry_id not in site.meters
    }

    def content() -> dict[str, Any]:
        return {
            "meters": kept
            | {
                subentry_id: {
                    **meter.account.as_dict(),
                    "inverted": meter.inverted,
                }
                for subentry_id, meter in site.meters.items()
            },
            "intensity": site.intensity.as_dict(),
            "record": site.record.as_dict(),
        }

    site.store.async_collect_with(content)

    async def publish(_now: datetime | None = None) -> None:
        """Write the finished hours; what they were made of is on disk before."""
        await site.store.async_save()
        site.record.async_publish()
        site.store.async_schedule()

    entry.async_on_unload(
        async_track_utc_time_change(hass, publish, minute=0, second=_RECORD_SECOND)
    )
    entry.async_create_task(hass, publish(), "publish finished hours")
    for meter in site.meters.values():
        # The listener also keeps a meter polled whose entities are all disabled.
        entry.async_on_unload(meter.async_add_listener(site.store.async_schedule))


async def async_unload_entry(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> bool:
    """Stop reading the site's meters; what they said is stored."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    await _close(entry.runtime_data.meters.values())
    store = entry.runtime_data.store
    store.async_close()
    await store.async_save()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Delete what was stored of a site. Its record stays in the recorder."""
    await SiteStore(hass, entry.entry_id).async_remove()


async def _async_reload(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Set the site up anew after its meters or its options have changed."""
    await hass.config_entries.async_reload(entry.entry_id)
