"""Two hundred meters at one second in one Home Assistant: is every reading on time?

Not beside a peer but beside the limits that the project sets itself: a ratio above 1 means that
the figure is inside its limit.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
import time
from types import MappingProxyType
from typing import Any, Final
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
import yaml

from benchmarks.core import SetupError, running_core
from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.const import DOMAIN, SUBENTRY_METER
from custom_components.carbon_meter.coordinator import MeterCoordinator
from custom_components.carbon_meter.metering.profile_library import PACKAGED
from custom_components.carbon_meter.metering.readings import Reading
from demo.config_dir import LOOPBACK
from demo.processes import Children, Progress
from demo.virtual_home import VirtualHome, VirtualMeter

_METERS: Final = 200
_QUANTITIES: Final = 20
_INTERVAL: Final = 1.0  # seconds
_LONGEST: Final = 60  # seconds that are measured
_SHORTEST: Final = 3
_SETTLE: Final = 30.0  # seconds until nothing of the start is left
_TICK: Final = 0.005  # seconds between two looks at the event loop
_FAMILY: Final = "eastron_sdm72_v2"
_PROFILE_ID: Final = "benchmark_20"

_LIMIT_NAME: Final = "the limit"
_LATENESS: Final = 200.0  # ms
_CORE: Final = 60.0  # per cent
_STALL: Final = 50.0  # ms


@dataclass(kw_only=True)
class Watch:
    """What is seen of the readings and of the event loop."""

    late: list[float] = field(default_factory=list)
    """Seconds from when a reading was due until it was booked."""

    stall: float = 0.0
    """Longest stretch in seconds in which the event loop worked on one thing.

    Of the time on the clock and the processor time of its thread the smaller: what other
    processes take from it is none of its work.
    """

    failures: int = 0


async def measure(children: Children, directory: Path, rounds: int) -> list[Row]:
    """Read each meter so many times, sixty at most; return what it took, beside the limits."""
    seconds = float(max(_SHORTEST, min(_LONGEST, rounds)))
    profiles = directory / "profiles"
    _write_profile(profiles)
    arguments = ["--meters", "grid", "--copies", str(_METERS), "--profile", _PROFILE_ID]
    arguments += ["--profiles", str(profiles)]
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(
            VirtualHome(children, directory / "fleet.log", arguments)
        )
        config = directory / "fleet"
        _write_profile(config / DOMAIN / "profiles")
        hass = await stack.enter_async_context(running_core(config, {}))
        watch = await stack.enter_async_context(_watched())
        await _add_site(hass, home.meters)
        with Progress(f"reading {_METERS} meters every second") as progress:
            await _wait(min(_SETTLE, seconds), progress)
            watch.late.clear()
            watch.stall = 0.0
            cpu, wall = time.process_time(), time.perf_counter()
            await _wait(seconds, progress)
            share = 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)
    expected = _METERS * seconds / _INTERVAL
    missing = max(0, round(0.995 * expected) - len(watch.late))
    # A reading that did not come at all is later than any limit.
    late = sorted([*watch.late, *[seconds] * missing])
    p99 = quantiles(late, n=100, method="inclusive")[98]
    return [
        _row("lateness of the readings, 99th percentile", "ms", 1000 * p99, _LATENESS),
        _row("CPU of one core", "%", share, _CORE),
        _row("longest stall of the event loop", "ms", 1000 * watch.stall, _STALL),
    ]


def _row(what: str, unit: str, figure: float, limit: float) -> Row:
    return compare(
        benchmark="metering",
        what=f"{_METERS} meters at 1 s, {_QUANTITIES} quantities: {what}",
        unit=unit,
        better=Better.LOWER,
        ours=[figure],
        peer=[limit],
        peer_name=_LIMIT_NAME,
    )


async def _wait(seconds: float, progress: Progress) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        await asyncio.sleep(min(1.0, left))
        progress.show()


@asynccontextmanager
async def _watched() -> AsyncGenerator[Watch]:
    """Note when each reading was due and when it was booked, and how long the loop stood still."""
    watch = Watch()
    original = MeterCoordinator._async_update_data  # noqa: SLF001  # what polling calls

    async def observed(self: MeterCoordinator) -> Reading:
        loop = self.hass.loop
        due = self.due
        try:
            reading = await original(self)
        except Exception:
            watch.failures += 1
            raise
        watch.late.append(loop.time() - due)
        return reading

    async def look() -> None:
        loop = asyncio.get_running_loop()
        last, worked = loop.time(), time.thread_time()
        while True:
            await asyncio.sleep(_TICK)
            now, work = loop.time(), time.thread_time()
            watch.stall = max(watch.stall, min(now - last - _TICK, work - worked))
            last, worked = now, work

    with patch.object(MeterCoordinator, "_async_update_data", observed):
        looking = asyncio.create_task(look())
        try:
            yield watch
        finally:
            looking.cancel()


def _write_profile(directory: Path) -> None:
    """Write a profile with the first quantities of a packaged one."""
    path = PACKAGED / "modbus" / f"{_FAMILY}.yaml"
    profile: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    profile["id"] = _PROFILE_ID
    profile["signatures"] = []
    counters = [row for row in profile["registers"] if row["quantity"].startswith("energy_")]
    others = [row for row in profile["registers"] if row not in counters]
    profile["registers"] = [*counters[:2], *others][:_QUANTITIES]
    profile.pop("rollover", None)
    profile.pop("message_spacing", None)  # a pause that only this family needs
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "benchmark.yaml").write_text(yaml.safe_dump(profile), encoding="utf-8")


async def _add_site(hass: HomeAssistant, meters: Sequence[VirtualMeter]) -> None:
    """Add a site with all meters at once, every entity enabled."""
    entry = ConfigEntry(
        data={},
        discovery_keys=MappingProxyType({}),
        domain=DOMAIN,
        minor_version=1,
        options={},
        source=SOURCE_USER,
        subentries_data=[
            ConfigSubentryData(
                data=_data(meter, role="grid" if number == 0 else "submeter"),
                subentry_type=SUBENTRY_METER,
                title=f"Meter {number + 1}",
                unique_id=f"benchmark:{number}",
            )
            for number, meter in enumerate(meters)
        ],
        title="Fleet",
        unique_id=None,
        version=1,
    )
    with (
        Progress(f"setting up {len(meters)} meters"),
        patch.object(Entity, "entity_registry_enabled_default", new=True),
    ):
        await hass.config_entries.async_add(entry)
        await hass.async_block_till_done()
    if entry.state is not ConfigEntryState.LOADED:
        raise SetupError(f"our integration did not load: {entry.reason}")


def _data(meter: VirtualMeter, *, role: str) -> Mapping[str, Any]:
    return {
        "driver": "modbus",
        "host": LOOPBACK,
        "port": meter.port,
        "unit": meter.unit,
        "base": 0,
        "profile": _PROFILE_ID,
        "manufacturer": "Benchmark",
        "model": "20",
        "serial": "",
        "role": role,
        "inverted": False,
        "power_inverted": False,
        "interval": int(_INTERVAL),
        "write_interval": 10,
    }
