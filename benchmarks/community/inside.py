"""The hub of ten thousand homes as an entry of a Home Assistant: what it costs there.

Run as `python -m benchmarks.community.inside FOLDER HOMES SECONDS TIMES`, the folder that of a rig
whose ledger holds a month. It prints what it measured as JSON.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
import json
from multiprocessing import get_context
from pathlib import Path
import shutil
import sys
import time
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component

from benchmarks.community import month, village
from benchmarks.community.consumer import link_of
from benchmarks.community.rig import Rig
from benchmarks.core import run_in_core_loop, running_core
from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.contract.writing import write
from custom_components.carbon_meter.community.hub.opening import open_worker
from custom_components.carbon_meter.community.hub.publishing import Publisher
from custom_components.carbon_meter.community.hub.releases import Releases
from custom_components.carbon_meter.community.hub.view import view
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import CellKey, Scope
from custom_components.carbon_meter.community.ledger.figures import (
    community_score,
    shared_generation,
    spread,
    summary,
)
from custom_components.carbon_meter.community.privacy.rules import Rules
from custom_components.carbon_meter.const import CONF_ENTRY, DOMAIN, ENTRY_HUB
from custom_components.carbon_meter.hub_entry.files import hub_folder
from custom_components.carbon_meter.hub_entry.hub import Hub
from custom_components.carbon_meter.hub_entry.keys import (
    CONF_COMMUNITY,
    CONF_HUB_FILE,
    CONF_OWN_BROKER,
    CONF_TIME_ZONE,
)
from custom_components.carbon_meter.migration import MINOR_VERSION, VERSION
from demo.config_dir import ROOT, bind_to_loopback
from demo.home_assistant import free_port

_SETTLE: Final = 5.0
"""Seconds after a phase in which the hub does what it does later."""

_STEPS: Final = 12
"""Times of one flow that are published, the newest hours first: the rest of the month waits."""

_STEPS_OF_HOUR: Final = 4
"""Of these an hour needs so many: three flows, and its share of days and months."""

_MINUTES: Final = 1000
"""Homes that say something every minute."""


@dataclass(kw_only=True)
class Measured:
    """What was found; seconds of processor time, per cent of a core, megabytes."""

    answers: list[float] = field(default_factory=list)
    recompute: list[float] = field(default_factory=list)
    recompute_cpu: list[float] = field(default_factory=list)
    publishing_cpu: float = 0.0
    """Of what is published in an hour."""

    idle: float = 0.0
    hourly: float = 0.0
    minutely: float = 0.0
    memory: float = 0.0
    peak: float = 0.0


async def measure(folder: Path, homes: int, seconds: float, times: int) -> Measured:
    """Measure one thing after the other."""
    rig = Rig.load(folder)
    found = Measured()
    bind_to_loopback(folder / "config", free_port())
    async with running_core(folder / "config", _configuration(folder)) as hass:
        before = _memory("VmRSS")
        _forget_peak()
        # In a process of its own: the hub itself publishes only once.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            found.publishing_cpu = await hass.loop.run_in_executor(pool, _publish_some, rig)
        hub = await _set_up(hass, rig)
        await _all_published(hub)
        found.idle = await _share(seconds, lambda: asyncio.sleep(seconds))
        found.hourly = await _listen(hass, rig, hub, _hourly(homes, seconds), homes / 3600)
        every = min(homes, _MINUTES)
        found.minutely = await _listen(hass, rig, hub, _minutely(seconds, every), every / 60)
        for _ in range(times):
            begin = time.perf_counter()
            await hass.async_add_executor_job(_ask, hub)
            found.answers.append(time.perf_counter() - begin)
        found.memory = _memory("VmRSS") - before
        for _ in range(times):
            cpu, begin = time.process_time(), time.perf_counter()
            wrong = await hub.care.async_audit()
            found.recompute.append(time.perf_counter() - begin)
            found.recompute_cpu.append(time.process_time() - cpu)
            if wrong:
                raise RuntimeError(f"{wrong} totals and cells are not those of a recomputation")
        found.peak = _memory("VmHWM") - before
    return found


def _configuration(folder: Path) -> dict[str, Any]:
    """Return what runs beside the hub: whatever it hands its figures to."""
    return {"http": {}, "recorder": {"db_url": f"sqlite:///{folder / 'recorder.db'}"}}


def _publish_some(rig: Rig) -> float:
    """Publish the newest times by themselves; return the processor time that an hour of it takes.

    The files are closed again: the hub goes on with them.
    """
    with (
        closing(open_worker(rig.hub, rig.community, village.ZONE, link_of(rig))) as hub,
        closing(Releases(rig.hub / "releases.db", community=rig.community)) as releases,
    ):
        steps = count()
        cpu = time.process_time()
        Publisher(hub.ledger, releases, Rules()).publish(
            time.time(), go_on=lambda: next(steps) < _STEPS
        )
        return (time.process_time() - cpu) * _STEPS_OF_HOUR / _STEPS


async def _set_up(hass: HomeAssistant, rig: Rig) -> Hub:
    """Add the hub as its form does, upon the files that are there; return it at work."""
    entry: ConfigEntry[Hub] = ConfigEntry(
        data={
            CONF_ENTRY: ENTRY_HUB,
            CONF_COMMUNITY: rig.community,
            CONF_OWN_BROKER: False,
            CONF_TIME_ZONE: village.ZONE.key,
            CONF_HUB_FILE: rig.hub_file,
        },
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        entry_id="bench",
        minor_version=MINOR_VERSION,
        options={},
        source=SOURCE_USER,
        subentries_data=None,
        title="Benchmark",
        unique_id=rig.community,
        version=VERSION,
    )
    folder = hub_folder(hass, entry.entry_id)
    await hass.async_add_executor_job(_move, rig.hub, folder)
    if not await async_setup_component(hass, DOMAIN, {}):
        raise RuntimeError("the integration could not be set up")
    await hass.config_entries.async_add(entry)
    if entry.state is not ConfigEntryState.LOADED:
        raise RuntimeError(f"the hub is {entry.state}: {entry.reason}")
    return entry.runtime_data


def _move(there: Path, here: Path) -> None:
    here.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(there, here)


async def _all_published(hub: Hub) -> None:
    """Wait until the month is published and recorded; it begins by itself."""
    published = asyncio.Event()

    def look() -> None:
        if hub.published_at is not None:
            published.set()

    stop = hub.async_add_listener(look)
    await published.wait()
    stop()
    await get_instance(hub.hass).async_block_till_done()
    await asyncio.sleep(_SETTLE)


def _hourly(homes: int, seconds: float) -> list[village.Message]:
    """Return what homes say at the pace of one message an hour each."""
    start = int(time.time()) // village.HOUR * village.HOUR - village.HOUR
    many = max(1, int(seconds * homes / 3600))
    # Spread over all: neighbours share feeders and groups.
    step = max(1, homes // many)
    return [write(village.footprint(number * step % homes, start, seq=1)) for number in range(many)]


def _minutely(seconds: float, homes: int) -> list[village.Message]:
    """Return what homes say that correct the running hour every minute."""
    start = int(time.time()) // village.HOUR * village.HOUR
    many = int(seconds * homes / 60)
    return [
        write(
            village.footprint(
                number % homes, start, seq=1 + number // homes, revision=number // homes
            )
        )
        for number in range(many)
    ]


async def _listen(
    hass: HomeAssistant, rig: Rig, hub: Hub, messages: list[village.Message], rate: float
) -> float:
    """Return the share of a core that the hub takes while homes speak at a rate."""
    path = rig.folder / "phase.txt"
    await hass.async_add_executor_job(village.save, path, iter(messages))
    begin = hub.status.committed

    async def speak() -> None:
        loader = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.community.loader", str(rig.folder), str(path), str(rate)),
            cwd=ROOT,
        )
        if await loader.wait():
            raise RuntimeError("the loader could not speak")
        await asyncio.sleep(_SETTLE)

    share = await _share(len(messages) / rate, speak)
    if hub.status.committed - begin != len(messages):
        raise RuntimeError(f"{hub.status} instead of {len(messages)} messages")
    return share


async def _share(seconds: float, action: Callable[[], Awaitable[None]]) -> float:
    """Return the processor time of an action in per cent of the seconds that it stands for."""
    cpu = time.process_time()
    await action()
    return 100 * (time.process_time() - cpu) / seconds


def _ask(hub: Hub) -> None:
    """Ask what the page of a community asks for a month, and what its operator asks."""
    first = month.first_day(time.time())
    begin = int(datetime(first.year, first.month, first.day, tzinfo=village.ZONE).timestamp())
    end = begin + month.DAYS * 86400
    ledger, publisher = hub.opened.core.ledger, hub.opened.publisher
    hours = ledger.cells(Grain.HOUR, begin, end)
    days = ledger.cells(Grain.DAY, begin, end)
    months = ledger.cells(Grain.MONTH, begin - 40 * 86400, end)
    for cell in (*hours, *days, *months):
        summary(cell)
    shared_generation(hours)
    community_score(hours)
    for number in range(village.FEEDERS):
        ledger.cells(Grain.DAY, begin, end, scope=Scope.FEEDER, name=village.feeder(number))
    key = CellKey(
        grain=Grain.MONTH,
        begin=months[-1].key.begin,
        scope=Scope.COMMUNITY,
        name=village.COMMUNITY,
        flow=Flow.GRID_IMPORT,
        kind=Kind.AVERAGE,
    )
    spread(ledger.homes_of(key))
    view(publisher, Grain.HOUR, begin, end)
    view(publisher, Grain.DAY, begin, end)
    if not hours or len(days) < month.DAYS - 1:
        raise RuntimeError(f"{len(hours)} hours and {len(days)} days are no month")


def _memory(name: str) -> float:
    """Return a figure of /proc/self/status in megabytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the system does not tell {name}")


def _forget_peak() -> None:
    """Let the highest memory be counted from now on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


if __name__ == "__main__":
    outcome = run_in_core_loop(
        measure(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
    )
    print(json.dumps(outcome.__dict__))
