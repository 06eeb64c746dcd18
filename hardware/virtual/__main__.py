"""Runs a virtual home as a process: prints one line of JSON when it is ready, stops on a signal.

The line holds `modbus` (host and port of each home), `control` (the address of
the control server) and `meters` (name, port, unit, profile, node).
"""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime
import json
from pathlib import Path
import signal
import sys

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import PACKAGED, load_profiles

from .clock import FASTEST, VirtualClock
from .control import ControlServer
from .counter_file import load_counters, save_counters, with_counters
from .electrical import Supply
from .home import PRESETS, VirtualHome, preset
from .household import Household
from .replay import CityLearnHome, ReplayError, find_citylearn, load_citylearn
from .server import LOOPBACK, Endpoint
from .weather import Weather

_UNUSABLE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run with the arguments of the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        clock, homes = _furnished(options)
        return asyncio.run(_run(homes, clock, options))
    except (ValueError, OSError, ReplayError) as err:
        sys.stderr.write(f"{err}\n")
        return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="python -m hardware.virtual", description=__doc__)
    add = parser.add_argument
    add("--host", default=LOOPBACK, help="address to bind to (default %(default)s)")
    add("--port", type=int, default=0, help="Modbus port; 0 is any free one (default)")
    add("--control-port", type=int, default=0, help="port of the control server (default any)")
    add("--meters", choices=sorted(PRESETS), default="home", help="which meters (default home)")
    add("--profile", metavar="ID", help="the grid meter's profile instead of eastron_sdm630")
    add("--profiles", metavar="DIR", type=Path, help="folder with further profiles")
    add("--initial-kwh", type=float, default=12345.678, help="on each import counter at first")
    add("--speed", type=float, default=1.0, help=f"virtual seconds in a real one, to {FASTEST:g}")
    add("--start", metavar="TIME", type=_time, help="first moment, ISO 8601 with offset")
    add("--seed", type=int, default=1, help="another seed is another household")
    add("--watts", type=float, help="a grid connection that draws just this, instead of a house")
    add("--copies", type=int, default=1, help="so many homes, each with a port of its own")
    add(
        "--replay",
        metavar="DIR",
        nargs="?",
        const="",
        help="recorded CityLearn homes; without DIR those beside the checkout",
    )
    add("--counters", metavar="FILE", type=Path, help="go on from these counters, and save them")
    add("--building", type=int, default=1, help="which recorded home (default %(default)s)")
    return parser


def _furnished(options: argparse.Namespace) -> tuple[VirtualClock, dict[str, VirtualHome]]:
    """Return the clock and the homes by name."""
    library = load_profiles([PACKAGED, *([options.profiles] if options.profiles else [])])
    for problem in library.problems:
        sys.stderr.write(f"{problem}\n")
    specs = preset(options.meters, profile=options.profile, initial=options.initial_kwh * 1000)
    recorded = None if options.replay is None else _recorded(options.replay, options.building)
    if options.copies < 1:
        raise ValueError("--copies must be at least 1")
    clock = VirtualClock(options.start, speed=options.speed)
    start = clock.now()
    counters = load_counters(options.counters) if options.counters else {}
    homes: dict[str, VirtualHome] = {}
    for number in range(options.copies):
        seed = options.seed + number
        household = Household.simulated(
            start, Weather(seed=seed), replay=recorded, supply=Supply(seed=seed)
        )
        if options.watts is not None:
            household.force("grid", options.watts, start)
        name = "" if options.copies == 1 else f"home{number + 1}"
        homes[name] = VirtualHome(
            with_counters(specs, counters, name),
            household,
            clock=clock,
            profiles=library.of(ModbusProfile),
            endpoint=Endpoint(host=options.host, port=options.port + number if options.port else 0),
        )
    return clock, homes


def _recorded(directory: str, building: int) -> CityLearnHome:
    place = Path(directory) if directory else find_citylearn()
    if place is None:
        raise ReplayError("there are no recorded homes in the usual place: give --replay a folder")
    return load_citylearn(place, building)


async def _run(
    homes: dict[str, VirtualHome], clock: VirtualClock, options: argparse.Namespace
) -> int:
    """Serve until a signal comes."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        for home in homes.values():
            await stack.enter_async_context(home)
        control = await stack.enter_async_context(
            ControlServer(homes, clock, host=options.host, port=options.control_port)
        )
        ready = {
            "modbus": [{"host": home.modbus.host, "port": home.port} for home in homes.values()],
            "control": control.url,
            "meters": [
                {
                    "name": f"{name}/{meter.name}" if name else meter.name,
                    "port": home.port,
                    "unit": meter.unit,
                    "profile": meter.profile.id,
                    "node": meter.spec.node,
                }
                for name, home in homes.items()
                for meter in home.meters.values()
            ],
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()
        if options.counters:
            save_counters(options.counters, homes)
    return 0


def _time(text: str) -> float:
    """Return seconds since 1970 UTC."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} needs an offset from UTC, or Z")
    return moment.timestamp()


if __name__ == "__main__":
    sys.exit(main())
