"""Carbon Meter: see and lower the carbon of a site's energy."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.event import async_track_utc_time_change
from homeassistant.helpers.typing import ConfigType
from homeassistant.util.hass_dict import HassKey

from .actions import async_register_actions
from .archives import async_close_archive, async_open_archive, async_remove_archive
from .backfill import Backfill
from .blueprints_action import async_register_blueprints
from .bookkeeper import Bookkeeper, archive_path
from .carbon.archive.errors import ArchiveError
from .carbon.meter_watch import MeterWatch
from .const import (
    CONF_INTERVAL,
    CONF_INVERTED,
    CONF_WRITE_INTERVAL,
    DEFAULT_WRITE_INTERVAL,
    DOMAIN,
    LOGGER,
    SUBENTRY_METER,
    has_carbon,
)
from .coordinator import MeterCoordinator
from .data import CarbonMeterConfigEntry, Site
from .discovery.healing import AddressWatch
from .discovery.services import async_watch_services
from .editions import async_settle_past, async_stop_settling
from .entries import is_hub
from .hub_entry.actions import async_register_hub_actions
from .hub_entry.invitation_files import InvitationView
from .hub_entry.setup import (
    async_keep_hub_file,
    async_remove_hub,
    async_setup_hub,
    async_unload_hub,
)
from .hub_entry.websocket import async_register_hub_websocket
from .intensity import SiteIntensity
from .libraries import Libraries, async_get_libraries, async_renew_libraries
from .loads.light_memory import async_register_lights
from .loads.loads_store import LoadsStore
from .loads.planner import SitePlanner
from .loads.shedding import async_register_shedding
from .membership.memberships import (
    Memberships,
    async_go_on_leaving,
    async_remove_memberships,
    memberships_of,
)
from .membership.site_source import SiteSource
from .membership.websocket import async_register_websocket
from .meter_tree import MeterTree
from .metering.errors import MeterSilentError
from .migration import async_migrate_entry as async_migrate_entry
from .missing import async_driver_and_profile, async_watch_missing
from .plan_action import async_register_plan
from .plan_watch import PlanWatch
from .plans import async_plan_parts
from .plugins import async_welcome
from .record import Record
from .recorded import async_recorded_before, async_recorded_total
from .reload import async_register_reload
from .report_action import async_register_report
from .simulate_action import async_register_simulate
from .simulation.run import Simulation
from .sources.learning import async_forget
from .store import Part, SiteStore

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS: Final = (Platform.BINARY_SENSOR, Platform.EVENT, Platform.SENSOR)
LOAD_PLATFORMS: Final = (
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.NUMBER,
    Platform.SWITCH,
    Platform.TIME,
)
"""Of sites with loads only: who has none gets no calendar in the sidebar."""

_DATA_RELOADING: HassKey[set[str]] = HassKey(f"{DOMAIN}_reloading")

_PATIENCE: Final = 5.0
"""Seconds for which the entities of a site that is known wait for its meters."""

_RECORD_SECOND: Final = 20
"""Second of the first minute at which the hour before is written: every meter has been read."""


async def async_setup(hass: HomeAssistant, _config: ConfigType) -> bool:
    """Load profiles and emission factors ahead of the first site, and what plugins bring."""
    await async_welcome(hass, partial(async_renew_libraries, hass))
    async_register_reload(hass)
    async_register_actions(hass)
    async_register_report(hass)
    async_register_plan(hass)
    async_register_simulate(hass)
    async_register_blueprints(hass)
    async_register_lights(hass)
    async_register_shedding(hass)
    async_register_websocket(hass)
    async_register_hub_actions(hass)
    async_register_hub_websocket(hass)
    hass.http.register_view(InvitationView)
    async_watch_missing(hass)
    await async_get_libraries(hass)
    await async_watch_services(hass)
    await async_go_on_leaving(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> bool:
    """Set up a site with its meters, or the hub of a community."""
    if is_hub(entry):
        await async_keep_hub_file(hass, entry)
    # First of all: a meter that is added while this one is being read must not be missed.
    entry.async_on_unload(entry.add_update_listener(_async_reload))
    if is_hub(entry):
        return await async_setup_hub(hass, entry)
    subentries = entry.get_subentries_of_type(SUBENTRY_METER)

    libraries = await async_get_libraries(hass)
    store = SiteStore(hass, entry.entry_id)
    stored = await store.async_load()
    intensity = SiteIntensity(
        hass, entry, entry.options, libraries.factors, libraries.intensity_offers
    )
    intensity.restore(stored.get("intensity"))
    await intensity.async_load()

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

    keeper = await _async_book(hass, entry, libraries, intensity, meters)
    record = Record(hass, (entry.entry_id, entry.title), meters, keeper)
    entry.runtime_data = Site(
        keeper=keeper,
        intensity=intensity,
        meters=meters,
        tree=MeterTree(meters),
        store=store,
        record=record,
        backfill=Backfill(hass, entry, keeper, intensity, meters, record),
        planner=SitePlanner(hass, entry, intensity, keeper, meters),
        simulation=Simulation(hass, entry.title),
        left_out=bool(left_out),
    )

    # A changed intensity holds from the moment it changed: it is listened to before anything
    # is read.
    entry.async_on_unload(intensity.async_start())
    try:
        if stored_meters:
            await _readings_again(hass, entry, meters.values())
        else:
            await _first_readings(list(meters.values()))
        await keeper.async_enter()
        await entry.runtime_data.planner.async_load()
    except BaseException:
        await _close(meters.values())
        await async_close_archive(hass, keeper.archive)
        raise

    _keep(hass, entry, stored_meters)
    entry.async_on_unload(entry.runtime_data.planner.async_start())
    await Memberships(hass, entry, SiteSource(hass, entry)).async_start()
    await hass.config_entries.async_forward_entry_setups(entry, _platforms(entry.runtime_data))
    entry.async_on_unload(AddressWatch(hass, entry).async_start())
    entry.runtime_data.settling = entry.async_create_background_task(
        hass, async_settle_past(hass, entry), "follow editions, go on with the past"
    )
    return True


async def _async_book(
    hass: HomeAssistant,
    entry: CarbonMeterConfigEntry,
    libraries: Libraries,
    intensity: SiteIntensity,
    meters: Mapping[str, MeterCoordinator],
) -> Bookkeeper:
    """Return the book of a site; where its archive is new it goes on from the record.

    Raises ConfigEntryNotReady, whose message says what to do, when the archive cannot be used.
    """
    try:
        archive = await async_open_archive(hass, archive_path(hass, entry.entry_id))
        keeper = Bookkeeper(hass, entry.entry_id, archive, intensity, meters)
        parts = async_plan_parts(hass, entry, libraries, meters)
        await keeper.async_plan(await hass.async_add_executor_job(parts.plan))
        known = await hass.async_add_executor_job(archive.owners)
        for subentry_id, meter in meters.items():
            folded, until = meter.account.ledger.folded, meter.account.ledger.first_open
            if subentry_id not in known and until:
                recorded = await async_recorded_before(hass, subentry_id, until)
                await keeper.async_go_on(subentry_id, folded, recorded)
    except ArchiveError as err:
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN,
            translation_key="archive_unusable",
            translation_placeholders={"error": str(err)},
        ) from err
    return keeper


def _platforms(site: Site) -> tuple[Platform, ...]:
    """Return what a site has entities of."""
    return (*PLATFORMS, *LOAD_PLATFORMS) if site.planner.loads else PLATFORMS


async def _close(meters: Iterable[MeterCoordinator]) -> None:
    """Let go of what the meters' connections hold."""
    for meter in meters:
        await meter.connection.async_close()


async def _first_readings(meters: Sequence[MeterCoordinator]) -> None:
    """Read every meter of a new site once, side by side, and follow those that speak.

    Raises ConfigEntryNotReady when none answers: there is nothing to show. Else one that does
    not answer is told once and polled on. One that speaks by itself may just speak seldom.
    """
    results = await asyncio.gather(
        *(meter.async_config_entry_first_refresh() for meter in meters), return_exceptions=True
    )
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures and len(failures) == len(meters) and not any(map(_may_speak_later, meters)):
        raise failures[0]
    for failure in failures:
        if not isinstance(failure, ConfigEntryNotReady):
            raise failure
        LOGGER.error("%s", failure)
    for meter in meters:
        meter.async_follow()


def _may_speak_later(meter: MeterCoordinator) -> bool:
    """Return whether nothing is wrong with a meter but that it has not spoken so far."""
    error = meter.last_exception
    silent = error is not None and isinstance(error.__cause__, MeterSilentError)
    return meter.connection.speaks and silent


async def _readings_again(
    hass: HomeAssistant, entry: CarbonMeterConfigEntry, meters: Iterable[MeterCoordinator]
) -> None:
    """Read every meter of a site that is known; entities do not wait for those that are slow."""

    async def read(meter: MeterCoordinator) -> None:
        await meter.async_refresh()
        if not meter.last_update_success:
            LOGGER.error("%s", meter.last_exception)
        meter.async_follow()

    tasks = [
        entry.async_create_background_task(hass, read(meter), f"first reading of {meter.name}")
        for meter in meters
    ]
    if tasks:
        await asyncio.wait(tasks, timeout=_PATIENCE)


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
    driver, profile = await async_driver_and_profile(hass, subentry, libraries)
    connection = await driver.async_open(hass, entry, data, profile)
    watch = MeterWatch(
        profile,
        intensity.ladder,
        poll_interval=float(data[CONF_INTERVAL]),
        write_interval=float(data.get(CONF_WRITE_INTERVAL, DEFAULT_WRITE_INTERVAL)),
        weighed=has_carbon(data),
        stored=stored,
    )
    if stored is not None:
        connection.restore(stored.get("connection", {}))
        if stored["inverted"] != data[CONF_INVERTED]:
            watch.account.start_counters_anew()
        watch.account.ledger.publish_again()
        watch.power.publish_again()
    return MeterCoordinator(
        hass,
        entry,
        subentry,
        connection=connection,
        profile=profile,
        watch=watch,
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
    parts: dict[str, Part] = {
        subentry_id: partial(dict, stored)
        for subentry_id, stored in stored_meters.items()
        if subentry_id in entry.subentries and subentry_id not in site.meters
    }
    parts |= {subentry_id: meter.as_dict for subentry_id, meter in site.meters.items()}

    def rest() -> dict[str, Any]:
        return {"intensity": site.intensity.as_dict()}

    site.store.async_collect_with(parts, rest)

    async def publish(_now: datetime | None = None) -> None:
        """Write the finished hours; what they were made of is on disk before."""
        await site.store.async_save()
        await site.record.async_publish()
        site.store.async_schedule()

    async def enter(_now: datetime) -> None:
        """Bring what was booked into the site's book."""
        await site.keeper.async_enter()

    entry.async_on_unload(
        async_track_utc_time_change(hass, publish, minute=0, second=_RECORD_SECOND)
    )
    entry.async_on_unload(
        async_track_utc_time_change(hass, enter, minute=range(5, 60, 5), second=_RECORD_SECOND)
    )
    entry.async_on_unload(PlanWatch(hass, entry).async_start())
    entry.async_on_unload(site.intensity.async_add_listener(site.keeper.intensity_changed))
    entry.async_create_task(hass, publish(), "publish finished hours")
    for meter in site.meters.values():
        # The listener also keeps a meter polled whose entities are all disabled.
        entry.async_on_unload(meter.async_add_listener(site.store.async_schedule))


async def async_unload_entry(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> bool:
    """Stop reading the site's meters; what they said is stored. A hub stops listening."""
    if is_hub(entry):
        return await async_unload_hub(hass, entry)
    if not await hass.config_entries.async_unload_platforms(entry, _platforms(entry.runtime_data)):
        return False
    site = entry.runtime_data
    await site.simulation.async_stop()
    await async_stop_settling(site)
    await site.planner.async_close()
    await _close(site.meters.values())
    site.store.async_close()
    await site.store.async_save()
    await site.keeper.async_enter()
    if (memberships := memberships_of(hass, entry)) is not None:
        await memberships.async_stop()
    await async_close_archive(hass, site.keeper.archive)
    await site.intensity.async_save()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Delete what was stored of a site or a hub. Its record stays in the recorder."""
    if is_hub(entry):
        await async_remove_hub(hass, entry)
        return
    await SiteStore(hass, entry.entry_id).async_remove()
    await LoadsStore(hass, entry.entry_id).async_remove()
    await async_remove_archive(hass, archive_path(hass, entry.entry_id))
    await async_forget(hass, entry.entry_id)
    await async_remove_memberships(hass, entry)


async def _async_reload(hass: HomeAssistant, entry: CarbonMeterConfigEntry) -> None:
    """Set the site up anew after its meters or its options have changed.

    Once for all that is changed at the same moment: thirty meters may be added together.
    """
    waiting = hass.data.setdefault(_DATA_RELOADING, set())
    if entry.entry_id in waiting:
        return
    waiting.add(entry.entry_id)
    await asyncio.sleep(0)
    waiting.discard(entry.entry_id)
    await hass.config_entries.async_reload(entry.entry_id)
