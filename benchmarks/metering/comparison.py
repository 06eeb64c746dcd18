"""The benchmark `metering`: who reads one meter with how many requests, how much CPU, how fast."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.core import run_in_core_loop, running_core
from benchmarks.metering import bare_loop, driver, fleet, ours, peer
from benchmarks.metering.agreement import check_agreement
from benchmarks.metering.subject import PROFILE_ID, Subject, load_profile
from benchmarks.rows import Better, Row, compare
from benchmarks.stopwatch import Action, Cost, one_round
from demo.config_dir import LOOPBACK
from demo.processes import Children, Progress
from demo.virtual_home import VirtualHome

_ROUNDS: Final = 200
_WARM_UP: Final = 5
"""Rounds before the first that counts."""

_APART: Final = 10.0
"""Virtual seconds from one round to the next, as at the default polling: values have moved on."""

_AGE: Final = 3600.0
"""Virtual seconds that the meter has been counting when the first reading comes."""

_IN_A_ROW: Final = 10
"""Readings of one side in a round of the pure reading paths."""

_COUNTED: Final = 5
"""Readings over which requests are counted."""

_OURS: Final = "ours"
_PEER: Final = "peer"
_CONNECTION: Final = "connection"
_BARE: Final = "bare"

type Costs = Mapping[str, list[Cost]]


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`."""
    with TemporaryDirectory(prefix="benchmark-") as directory, Children() as children:
        path, rounds = Path(directory), rounds or _ROUNDS
        return [
            *run_in_core_loop(_run(path, children, rounds)),
            *run_in_core_loop(fleet.measure(children, path, rounds)),
        ]


async def _run(directory: Path, children: Children, rounds: int) -> list[Row]:
    profile = load_profile()
    arguments = ["--meters", "grid", "--profile", PROFILE_ID, "--start", "2026-06-15T18:00+02:00"]
    async with AsyncExitStack() as stack:
        home = await stack.enter_async_context(
            VirtualHome(children, directory / "virtual_home.log", arguments)
        )
        (meter,) = home.meters
        subject = Subject(host=LOOPBACK, port=meter.port, unit=meter.unit, profile=profile)
        # From now on time passes between the rounds only: both sides see the same values.
        await home.control("clock", freeze=True)
        # No counter is at its very beginning.
        await home.control("clock", step=_AGE)
        hass = await stack.enter_async_context(
            running_core(directory / "config", peer.configuration(subject))
        )
        mine = await ours.add_meter(hass, subject)
        theirs = peer.PeerSide(hass, subject)
        await theirs.wait()
        pure = await stack.enter_async_context(driver.our_driver(hass, subject))
        bare = await stack.enter_async_context(bare_loop.bare_loop(subject, pure.blocks))

        async def step() -> None:
            await home.control("clock", step=_APART)

        async def requests() -> int:
            count: int = (await home.state())["meters"][meter.name]["requests"]
            return count

        with Progress("counting requests"):
            counts = {
                _OURS: await _requests_of(mine.read, requests),
                _PEER: await _requests_of(theirs.read, requests),
            }

        shown = _Rounds(
            title="reading with entities",
            actions={_OURS: mine.read, _PEER: theirs.read},
            before=step,
            after=lambda: check_agreement(profile.registers, mine.states(), theirs.states()),
        )
        with_entities = await shown.measure(rounds)
        alone = _Rounds(
            title="reading without entities",
            actions={
                _OURS: pure.read,
                _PEER: theirs.read_driver,
                _CONNECTION: pure.read_undecoded,
                _BARE: bare.read,
            },
            before=step,
            times=_IN_A_ROW,
        )
        without = await alone.measure(rounds)
    return [_requests_row(counts), *_cost_rows(with_entities, without), *_rate_rows(without)]


async def _requests_of(action: Action, requests: Callable[[], Awaitable[int]]) -> list[float]:
    """Return the requests that each of some readings took, as the meter counts them."""
    counts: list[float] = []
    for _ in range(_COUNTED):
        before = await requests()
        await action()
        counts.append(float(await requests() - before))
    return counts


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rounds:
    """What is measured in turns."""

    title: str
    actions: Mapping[str, Action]
    before: Action
    """Done before each round, not measured."""

    after: Callable[[], None] = lambda: None
    """Done after each round, not measured."""

    times: int = 1
    """How often each action is done in a round, one time after the other."""

    async def measure(self, rounds: int) -> Costs:
        """Return what each action costs once, by name, for each round."""
        costs: dict[str, list[Cost]] = {name: [] for name in self.actions}
        with Progress(f"{self.title}, {rounds} rounds") as progress:
            for number in range(-_WARM_UP, rounds):
                await self.before()
                found = await one_round(self.actions, number, self.times)
                self.after()
                progress.show()
                if number >= 0:
                    for name, cost in found.items():
                        costs[name].append(cost)
        return costs


def _requests_row(counts: Mapping[str, list[float]]) -> Row:
    return compare(
        benchmark="metering",
        what="requests per full reading",
        unit="requests",
        better=Better.LOWER,
        ours=counts[_OURS],
        peer=counts[_PEER],
        peer_name=peer.NAME,
    )


def _cost_rows(with_entities: Costs, without: Costs) -> list[Row]:
    """Return CPU and time of a full reading, with and without entities."""
    rows: list[Row] = []
    for how, costs in (("states written", with_entities), ("driver alone", without)):
        for what, cost in (("CPU", _cpu), ("time", _wall)):
            rows.append(
                compare(
                    benchmark="metering",
                    what=f"{what} per full reading, {how}",
                    unit="ms",
                    better=Better.LOWER,
                    ours=[1000 * cost(sample) for sample in costs[_OURS]],
                    peer=[1000 * cost(sample) for sample in costs[_PEER]],
                    peer_name=peer.NAME,
                )
            )
    return rows


def _cpu(cost: Cost) -> float:
    return cost.cpu


def _wall(cost: Cost) -> float:
    return cost.wall


def _rate_rows(costs: Costs) -> list[Row]:
    """Return how fast our reading path is beside what it stands on, and beside a bare loop."""
    return [
        compare(
            benchmark="metering",
            what=f"full readings, driver alone against {peer_name}",
            unit="1/s",
            better=Better.HIGHER,
            ours=[1 / cost.wall for cost in costs[_OURS]],
            peer=[1 / cost.wall for cost in costs[name]],
            peer_name=peer_name,
        )
        for name, peer_name in ((_BARE, bare_loop.NAME), (_CONNECTION, driver.CONNECTION_NAME))
    ]
