"""From homes' messages to what people see: published figures, and nothing else."""

import asyncio
from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.carbon_meter.community.contract.answers import Ack, Nack
from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.hub_entry import hub as hub_module
from custom_components.carbon_meter.hub_entry.chosen import async_hub
from tests.hub_entry.village import HOUR, Village, last_hours
from tests.metering.json.broker import needs_mosquitto

pytestmark = needs_mosquitto


def used(number: int, _start: int) -> dict[Flow, int]:
    """Return what a home tells: nearly the same of each, so that none dominates."""
    return {Flow.GRID_IMPORT: 1000 + number, Flow.PV: 400, Flow.GRID_EXPORT: 100}


async def test_twenty_homes_are_seen_as_one_sum(village: Village) -> None:
    await village.open()
    homes = await village.invite(20)
    starts = last_hours(2)
    await village.tell(homes, starts, used)
    assert await village.publish() > 0
    total = sum(1000 + number for number in range(20)) / 1000
    assert village.value("hour_energy") == pytest.approx(total)
    assert village.value("hour_carbon") == pytest.approx(total * 0.35)
    assert village.value("hour_intensity") == pytest.approx(350)
    assert village.value("hour_homes") == 20
    assert village.value("hour_expected") == 20
    assert village.value("hour_participation") == 100
    assert village.value("hour_coverage") == 100
    assert village.state("hour_energy").attributes["per_home"] == pytest.approx(total / 20)
    state = village.state("hour_energy")
    assert dt_util.parse_datetime(state.attributes["begin"]).timestamp() == starts[-1]
    assert state.attributes["suppressed"] is None
    assert village.state("link").state == "connected"
    assert village.state("connected", "binary_sensor").state == "on"
    acks: set[str] = set()

    def all_acknowledged() -> bool:
        acks.update(each.home for each in village.homes.answers() if isinstance(each, Ack))
        return acks >= set(homes)

    await village.until(all_acknowledged)
    assert acks == set(homes)


async def test_solar_energy_is_shared(village: Village) -> None:
    await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(1), used)
    await village.publish()
    # 20 times 400 Wh, of which 100 go to neighbours who draw more than that in the same hour.
    assert village.value("hour_shared_generation") == pytest.approx(2.0)
    assert village.value("hour_self_consumption") == pytest.approx(100)
    assert 0 < village.value("hour_cfe_score") <= 100


async def test_fourteen_homes_are_not_shown(village: Village) -> None:
    await village.open()
    homes = await village.invite(14)
    await village.tell(homes, last_hours(1), used)
    await village.publish()
    state = village.state("hour_energy")
    assert state.state == "unknown"
    assert state.attributes["suppressed"] == "few"
    assert (state.attributes["per_home"], state.attributes["quantiles"]) == (None, None)
    assert village.state("hour_shared_generation").attributes["suppressed"] == "few"
    assert village.state("hour_homes").state == "unknown"


async def test_feeders_appear_and_say_why_they_are_suppressed(village: Village) -> None:
    await village.open()
    north = await village.invite(18, feeder="North", groups=("Solar roofs",))
    south = await village.invite(20, feeder="South 1")
    local = dt_util.start_of_local_day() - timedelta(days=1)
    if time.time() < local.timestamp() + 28 * HOUR:
        local -= timedelta(days=1)
    start = int(local.timestamp())
    await village.tell([*north, *south], range(start, start + 4 * HOUR, HOUR), used)
    await village.publish()
    assert village.value("day_homes") == 38
    found = {scope[1]: scope[0].value for scope in village.hub.figures.scopes}
    assert found == {"North": "feeder", "South 1": "feeder", "Solar roofs": "group"}
    shown = village.hub.figures
    for scope in shown.scopes:
        (entity,) = [
            state
            for state in village.hass.states.async_all("sensor")
            if state.name == f"Linden street {scope[1]} Last day: energy"
        ]
        assert (entity.state == "unknown") == (entity.attributes["suppressed"] is not None)


async def test_stranger_is_told_and_hinders_nobody(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(2)
    await village.tell([*homes, "stranger"], last_hours(1), used)
    await village.until(lambda: hub.status.counts.accepted == 2)
    answers = village.homes.answers
    nacks: list[Nack] = []

    def nacked() -> bool:
        nacks.extend(answer for answer in answers() if isinstance(answer, Nack))
        return bool(nacks)

    await village.until(nacked)
    assert {nack.home for nack in nacks} == {"stranger"}
    assert village.hub.status.counts.refused["consent"] == 1
    await village.unload()
    await village.load()
    assert village.value("refused") == 1
    assert dt_util.parse_datetime(village.state("last_message").state) is not None


async def test_retained_message_is_not_believed(village: Village) -> None:
    hub = await village.open()
    (home,) = await village.invite(1)
    await village.until(lambda: hub.status.counts.consents == 1)
    await village.unload()
    topic = f"cm/v1/linden/{home}/up/withdraw"
    body = json.dumps({"v": 1, "src": home, "at": int(time.time() * 1000) + 60_000})
    await asyncio.to_thread(village.homes.say, topic, body.encode(), retain=True)
    await village.load()
    await village.until(lambda: village.hub.status.counts.retained == 1)
    assert home in village.hub.opened.core.ledger.homes
    await asyncio.to_thread(village.homes.say, topic, b"", retain=True)


async def test_what_comes_late_is_published_when_it_has_come(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(1), used)
    await village.until(lambda: hub.status.counts.late == 20)
    await village.until(lambda: time.monotonic() - hub._late_at < 10)
    before = hub.published_at
    assert hub._wanted is not None
    await hub._async_on_time(dt_util.utcnow())
    async_fire_time_changed(village.hass, dt_util.utcnow() + timedelta(seconds=1))
    await village.hass.async_block_till_done()
    assert hub.published_at == before
    hub._late_at = float("-inf")
    async_fire_time_changed(village.hass, dt_util.utcnow() + timedelta(seconds=60))
    await village.until(lambda: hub.published_at != before)


async def test_what_begins_to_come_late_is_waited_for_at_once(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publication that is due between the first of it and the look at it would cut it in two."""
    monkeypatch.setattr(hub_module, "_LOOK", 600.0)
    hub = await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(1), used)
    await village.until(lambda: hub.status.counts.late == 20)
    before = hub.published_at
    await hub._async_on_time(dt_util.utcnow())
    async_fire_time_changed(village.hass, dt_util.utcnow() + timedelta(seconds=1))
    await village.hass.async_block_till_done()
    assert hub.published_at == before
    assert hub._wanted is not None


def holders(folder: Path, text: str) -> set[str]:
    """Return which of a hub's databases hold a text, their logs among them."""
    return {
        path.name.partition("-")[0]
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    }


async def test_withdrawn_home_is_gone(village: Village) -> None:
    """Its sums go, what it told goes, and nothing leads from what was published to its name."""
    hub = await village.open()
    homes = await village.invite(20)
    (start,) = last_hours(1)
    await village.tell(homes, [start], used)
    home, neighbour = homes[:2]
    for each in (home, neighbour):
        intensity = {name: f"{name}-of-{each}" for name in ("source", "zone", "version")}
        said = await asyncio.to_thread(village.homes.tell, each, start, used(0, start), 1)
        named = replace(said.items[0], **intensity)
        say = write(replace(said, items=(named,), revision=2, seq=99, software=f"sw-of-{each}"))
        await asyncio.to_thread(village.homes.say, *say)
    await village.until(lambda: hub.status.counts.accepted == 24)
    await village.publish()
    assert holders(village.folder, home) >= {"ledger.db", "releases.db", "books.db"}
    assert holders(village.folder, f"-of-{home}") == {"ledger.db"}
    await asyncio.to_thread(village.homes.withdraw, home)
    await village.until(lambda: hub.status.counts.withdrawals == 1)
    assert set(hub.opened.core.ledger.homes) == set(homes[1:])
    # That an id has withdrawn is remembered, so that it does not come back.
    assert holders(village.folder, home) <= {"books.db", "desk.db"}
    assert holders(village.folder, f"-of-{home}") == set()
    assert holders(village.folder, neighbour) >= {"ledger.db", "releases.db", "books.db"}
    assert holders(village.folder, f"version-of-{neighbour}") == {"ledger.db"}


async def test_restart_keeps_everything(village: Village) -> None:
    await village.open()
    homes = await village.invite(20)
    await village.tell(homes, last_hours(1), used)
    await village.publish()
    before = village.value("hour_energy")
    await village.unload()
    assert village.state("hour_energy").state == "unavailable"
    await village.load()
    assert village.value("hour_energy") == before
    assert village.hub.homes.by_state == {"enrolled": 20}
    # What is told while nobody listens is told again by a home; the same changes nothing.
    await village.tell(homes, last_hours(1), used)
    assert village.hub.status.counts.duplicates == 20
    assert await village.hub.care.async_audit() == 0


async def test_what_is_for_sites_takes_no_hub(village: Village) -> None:
    await village.open()
    for name, data in (
        ("plan", {}),
        ("report", {"site": village.entry.entry_id}),
        ("audit_trail", {"site": village.entry.entry_id}),
        ("simulate", {"site": village.entry.entry_id}),
    ):
        with pytest.raises(ServiceValidationError) as refusal:
            await village.hass.services.async_call(
                DOMAIN, name, data, blocking=True, return_response=True
            )
        assert refusal.value.translation_key == "unknown_site", name
    await village.hass.services.async_call(DOMAIN, "reload", {}, blocking=True)
    assert village.entry.state is ConfigEntryState.LOADED


async def test_what_is_for_hubs_takes_no_site(village: Village) -> None:
    hub = await village.open()
    site = MockConfigEntry(domain=DOMAIN, title="Home", minor_version=2)
    site.add_to_hass(village.hass)
    assert await village.hass.config_entries.async_setup(site.entry_id)
    await village.hass.async_block_till_done()
    assert async_hub(village.hass, None) is hub
    with pytest.raises(ServiceValidationError):
        async_hub(village.hass, site.entry_id)
    # Both are unloaded and loaded on their own.
    assert await village.hass.config_entries.async_reload(site.entry_id)
    await village.unload()
    assert site.state is ConfigEntryState.LOADED
    with pytest.raises(ServiceValidationError):
        async_hub(village.hass, None)
    await village.load()
    assert await village.hass.config_entries.async_unload(site.entry_id)


async def test_stored_files_are_those_of_the_docs(village: Village) -> None:
    hub = await village.open()
    await village.invite(1, feeder="North")
    folder = Path(village.hass.config.path(DOMAIN, "linden", "invitations"))
    (mode, text), *others = await asyncio.to_thread(files_in, folder)
    assert not others
    assert mode & 0o077 == 0
    told: dict[str, Any] = json.loads(text)
    assert told["community"] == "linden"
    await village.until(lambda: hub.status.counts.consents == 1)
    await hub.homes.async_refresh()
    assert await asyncio.to_thread(files_in, folder) == []


def files_in(folder: Path) -> list[tuple[int, str]]:
    """Return mode and text of each file."""
    return [(file.stat().st_mode, file.read_text()) for file in folder.iterdir()]


async def test_hub_stops_with_home_assistant(village: Village) -> None:
    hub = await village.open()
    homes = await village.invite(1)
    await asyncio.to_thread(village.homes.tell, homes[0], last_hours(1)[0], used(0, 0))
    village.hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await village.until(lambda: hub.status.state == "stopped")
    await village.hass.async_block_till_done()
    assert await hub.async_publish() == 0
    # Unloaded afterwards, as a test does: nothing is closed twice.
    await village.unload()


async def test_feeders_are_there_once_after_a_reload(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    await village.open()
    homes = await village.invite(20, feeder="North", groups=("Roofs",))
    day = int((dt_util.start_of_local_day() - timedelta(days=2)).timestamp())
    await village.tell(homes, range(day, day + 4 * HOUR, HOUR), used)
    await village.publish()
    before = {state.entity_id for state in village.hass.states.async_all()}
    assert await village.hass.config_entries.async_reload(village.entry.entry_id)
    await village.hass.async_block_till_done()
    await village.publish()
    assert {state.entity_id for state in village.hass.states.async_all()} == before
    assert "unique IDs" not in caplog.text
    assert any(entity_id.endswith("north_last_day_energy") for entity_id in before)


async def test_feeders_published_while_a_hub_is_reloaded_are_there_once(
    village: Village, caplog: pytest.LogCaptureFixture
) -> None:
    await village.open()
    homes = await village.invite(20, feeder="North 1")
    day = int((dt_util.start_of_local_day() - timedelta(days=2)).timestamp())
    await village.tell(homes, range(day, day + 4 * HOUR, HOUR), used)
    publishing = asyncio.create_task(village.hub.async_publish())
    await asyncio.sleep(0)
    assert await village.hass.config_entries.async_reload(village.entry.entry_id)
    await publishing
    await village.publish()
    assert "unique IDs" not in caplog.text
    assert [scope[1] for scope in village.hub.figures.scopes] == ["North 1"]


async def test_closing_waits_for_what_is_being_shown(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record reads the files: they are not closed under it."""
    hub = await village.open()
    begun, may_end = asyncio.Event(), asyncio.Event()
    write, happened = hub.record.async_write, []

    async def slow(changed: Any) -> None:
        begun.set()
        await may_end.wait()
        await write(changed)
        happened.append("written")

    monkeypatch.setattr(hub.record, "async_write", slow)
    publishing = asyncio.create_task(hub.async_publish())
    await begun.wait()
    closing = asyncio.create_task(hub.async_close())
    closing.add_done_callback(lambda _: happened.append("closed"))
    for _ in range(50):
        await asyncio.sleep(0.002)
    assert not closing.done()
    may_end.set()
    await asyncio.gather(publishing, closing)
    assert happened == ["written", "closed"]
    await village.unload()


async def test_closing_waits_for_an_audit(village: Village) -> None:
    hub = await village.open()
    async with hub.care.auditing:
        closing = asyncio.create_task(hub.async_close())
        for _ in range(50):
            await asyncio.sleep(0.002)
        assert not closing.done()
    await closing
    await village.unload()
