"""A year of loads in ten grids, planned by forecast and scored by what came true.

The forecast is this project's, learnt from 2021 and 2022 and not touched since; 2023 is scored.
Every day each load arrives, is planned once or again every hour, and runs. Beside it stand
policies of other planners, restated from their documentation, and the oracle: the exact planner
with what came true. Savings are ratios of sums over the year, against running on arrival.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import math
from statistics import mean
import sys
import time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.forecast.zones import Zone, load_zones
from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.carbon.flow.amounts import FloatArray
from custom_components.carbon_meter.carbon.forecast.forecaster import Forecaster
from custom_components.carbon_meter.carbon.forecast.history import History
from custom_components.carbon_meter.carbon.forecast.hours import Hours
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.cheapest import plan_cheapest
from custom_components.carbon_meter.planning.decision import keep_or_replace
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Margin, Piece, Plan, energies
from custom_components.carbon_meter.planning.signal import Signal
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.window import Window

_HOUR: Final = 3600
_DAY: Final = 24
_POWER: Final = 1000.0
"""W of every load: what is scored are ratios."""

_CARBON: Final = Objective.carbon()
_MARGIN: Final = Margin(relative=0.002)
"""What a new plan has to gain over the one before it."""

_NOTABLE: Final = 0.10
"""The oracle's saving from which on a grid counts for the averages."""

_WORSE: Final = 0.005
"""What a year may be worse than running on arrival."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """A load that comes every day: local hour of arrival, hours it may take, hours it runs."""

    name: str
    arrival: int
    window: int
    hours: float
    is_block: bool = False
    target: float | None = None
    """The part of the oracle's saving that is to be kept, on average of the notable grids."""


LOADS: Final = (
    Load(name="EV 4 h, overnight to 7:00", arrival=18, window=13, hours=4.0),
    Load(name="EV 4 h within 24 h", arrival=18, window=24, hours=4.0, target=0.92),
    Load(name="EV 4 h within 72 h", arrival=18, window=72, hours=4.0, target=0.75),
    Load(name="water heater 3 h within 24 h", arrival=7, window=24, hours=3.0),
    Load(name="pool pump 8 h within 24 h", arrival=8, window=24, hours=8.0, target=0.60),
    Load(
        name="dishwasher 100 min, 20:00 to 7:00",
        arrival=20,
        window=11,
        hours=5.0 / 3.0,
        is_block=True,
    ),
)


class Policy(StrEnum):
    """Who plans, and with what."""

    ROLLING = "ours, every hour"
    ONCE = "ours, once"
    CEIL = "whole slots, our forecast"
    SLOT_START = "window from a slot's start, our forecast"
    WEEK = "cheapest by the mean of seven days"
    YESTERDAY = "cheapest by yesterday"
    THRESHOLD = "threshold on the present (z-score, seven days)"


PEERS: Final = (Policy.WEEK, Policy.YESTERDAY, Policy.THRESHOLD)
"""Policies that know nothing of our forecast."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One load in one grid over the year; gCO2eq of a load of one kW."""

    zone: str
    load: Load
    baseline: float
    oracle: float
    emitted: Mapping[Policy, float]
    missed: int
    """Deadlines that ours has missed, in both ways."""

    days: int
    starts: int
    seconds: float
    """What planning once takes on average."""

    @property
    def possible(self) -> float:
        """Return what the oracle saves, as a part."""
        return 1.0 - self.oracle / self.baseline

    def kept(self, policy: Policy) -> float:
        """Return the part of the oracle's saving that a policy keeps, NaN where it saves none."""
        possible = self.baseline - self.oracle
        return (self.baseline - self.emitted[policy]) / possible if possible > 0.0 else math.nan

    def saved(self, policy: Policy) -> float:
        """Return what a policy saves, as a part; below zero it makes things worse."""
        return 1.0 - self.emitted[policy] / self.baseline


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`. Rounds are days of the year, all where not told."""
    scores = [
        score
        for zone in load_zones("life cycle")
        for score in backtest(zone, rounds, lambda text: sys.stderr.write(f"    {text}\n"))
    ]
    show(scores)
    return _rows(scores)


def backtest(
    zone: Zone, days: int | None, report: Callable[[str], object] = lambda _: None
) -> Iterator[Score]:
    """Yield the scores of all loads in one grid, on so many days spread over the year."""
    forecasts = _forecasts(zone)
    for load in LOADS:
        report(f"{zone.name}, {load.name}")
        yield _score(zone, forecasts, load, days)


def _forecasts(zone: Zone) -> FloatArray:
    """Return p50 for 72 hours from each hour of the scored year on, by what was known before."""
    first, last = zone.scored - 1, len(zone.values) - 1
    forecaster = Forecaster(ZoneInfo(zone.time_zone))
    known = History.of(zone.start, zone.values[: zone.scored])
    forecaster.fit(known, zone.start + zone.scored * _HOUR)
    hours = Hours.until(History.of(zone.start, zone.values), zone.start + len(zone.values) * _HOUR)
    # A history lets go what is older than two years.
    cut = (hours.start - zone.start) // _HOUR
    middle: FloatArray = forecaster.quantiles(hours, first - cut, last - cut)[1]
    return middle


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One arrival; times are seconds after it."""

    load: Load
    truth: FloatArray
    past: FloatArray
    """The hours of the seven days before."""

    forecasts: FloatArray
    """A row for each hour of the window."""

    @property
    def deadline(self) -> float:
        """Return when it has to be done."""
        return float(self.load.window * _HOUR)

    def signal(self, values: FloatArray, hour: int = 0) -> Signal:
        """Return values as a signal from an hour to the deadline."""
        slots = Slots.of(float(hour * _HOUR), self.deadline, _HOUR)
        return Signal.of(slots, values[: len(slots)])

    def plan(self, signal: Signal, start: float, run_time: float) -> Plan:
        """Return ours for what is left."""
        window = Window(start=start, end=self.deadline)
        if self.load.is_block:
            return plan_block(signal, _CARBON, Profile.flat(_POWER, run_time), window)
        return plan_cheapest(signal, _CARBON, window, power=_POWER, run_time=run_time)

    def grams(self, pieces: Sequence[Piece]) -> float:
        """Return what pieces have emitted."""
        slots = Slots.of(0.0, len(self.truth) * float(_HOUR), _HOUR)
        return float(energies(slots, pieces) @ self.truth) / 1000.0

    def hourly(self, hours: Sequence[int]) -> float:
        """Return the grams of the load in whole hours, in order; the last may be used in part."""
        used = sorted(hours)[: math.ceil(self.load.hours)]
        parts = np.minimum(self.load.hours - np.arange(len(used)), 1.0)
        return float(self.truth[used] @ parts) * _POWER / 1000.0


def _cases(zone: Zone, forecasts: FloatArray, load: Load, days: int | None) -> Iterator[_Case]:
    """Yield the arrivals of a load in the scored year."""
    local = ZoneInfo(zone.time_zone)
    last = len(zone.values) - zone.scored - 72
    arrivals = [
        hour
        for hour in range(last)
        if datetime.fromtimestamp(zone.start + (zone.scored + hour) * _HOUR, local).hour
        == load.arrival
    ]
    step = max(1, len(arrivals) // days) if days else 1
    for hour in arrivals[::step]:
        now = zone.scored + hour
        yield _Case(
            load=load,
            truth=zone.values[now : now + load.window],
            past=zone.values[now - 7 * _DAY : now],
            forecasts=forecasts[hour : hour + load.window],
        )


def _score(zone: Zone, forecasts: FloatArray, load: Load, days: int | None) -> Score:
    """Return the score of a load in a grid."""
    baseline = oracle = seconds = 0.0
    emitted = dict.fromkeys(Policy, 0.0)
    missed = starts = count = 0
    for case in _cases(zone, forecasts, load, days):
        count += 1
        run_time = load.hours * _HOUR
        baseline += case.grams([Piece(0.0, run_time, _POWER)])
        oracle += case.grams(case.plan(case.signal(case.truth), 0.0, run_time).pieces)
        began = time.perf_counter()
        once = case.plan(case.signal(case.forecasts[0]), 0.0, run_time).pieces
        seconds += time.perf_counter() - began
        rolling = _rolling(case)
        for policy, pieces in ((Policy.ONCE, once), (Policy.ROLLING, rolling)):
            emitted[policy] += case.grams(pieces)
            missed += _is_missed(case, pieces)
        starts += sum(
            number == 0 or piece.start > rolling[number - 1].end
            for number, piece in enumerate(rolling)
        )
        for policy, rule in _RULES.items():
            emitted[policy] += rule(case)
    return Score(
        zone=zone.name,
        load=load,
        baseline=baseline,
        oracle=oracle,
        emitted=emitted,
        missed=missed,
        days=count,
        starts=starts,
        seconds=seconds / count,
    )


def _rolling(case: _Case) -> list[Piece]:
    """Return what runs when it is planned anew every hour, with the newest forecast."""
    left = case.load.hours * _HOUR
    done: list[Piece] = []
    plan: Plan | None = None
    for hour in range(case.load.window):
        now = float(hour * _HOUR)
        signal = case.signal(case.forecasts[hour], hour)
        new = case.plan(signal, now, left)
        if plan is not None:
            new = keep_or_replace(plan, new, _MARGIN, signal=signal, objective=_CARBON, now=now)
        plan = new
        if case.load.is_block:
            if plan.pieces[0].start < now + _HOUR:
                return list(plan.pieces)
            continue
        due = [
            Piece(max(piece.start, now), min(piece.end, now + _HOUR), piece.power)
            for piece in plan.pieces
            if piece.start < now + _HOUR and piece.end > now
        ]
        done += due
        left -= sum(piece.end - piece.start for piece in due)
        if left < 1e-6:
            break
    return done


def _is_missed(case: _Case, pieces: Sequence[Piece]) -> bool:
    """Return whether a load was not done by its deadline."""
    run_time = sum(piece.end - piece.start for piece in pieces)
    return run_time < case.load.hours * _HOUR - 1e-3 or pieces[-1].end > case.deadline + 1e-3


def _cheapest(case: _Case, forecast: FloatArray) -> float:
    """Return the grams of ours on another forecast: only the forecast differs."""
    plan = case.plan(case.signal(forecast), 0.0, case.load.hours * _HOUR)
    return case.grams(plan.pieces)


def _as_yesterday(case: _Case) -> float:
    """Forecast each hour as the same hour of the last day that is known."""
    return _cheapest(case, np.tile(case.past[-_DAY:], 3)[: case.load.window])


def _as_in_the_week(case: _Case) -> float:
    """Forecast each hour as the mean of the same hour on seven days."""
    profile = case.past.reshape(7, _DAY).mean(axis=0)
    return _cheapest(case, np.tile(profile, 3)[: case.load.window])


def _from_slot_start(case: _Case) -> float:
    """Run without a pause from the start of a slot: the window that is cleanest by the forecast."""
    length = math.ceil(case.load.hours)
    parts = np.minimum(case.load.hours - np.arange(length), 1.0)
    starts = np.lib.stride_tricks.sliding_window_view(case.forecasts[0][: case.load.window], length)
    first = int((starts @ parts).argmin())
    return case.hourly(range(first, first + length))


def _whole_slots(case: _Case) -> float:
    """Choose as many whole slots as the run needs, rounded up, and use them from the first on."""
    length = math.ceil(case.load.hours)
    forecast = case.forecasts[0][: case.load.window]
    if case.load.is_block:
        means = np.convolve(forecast, np.ones(length), mode="valid")
        first = int(means.argmin())
        return case.hourly(range(first, first + length))
    return case.hourly(np.argsort(forecast, kind="stable")[:length].tolist())


def _by_threshold(case: _Case) -> float:
    """Run while the present is below the mean of seven days, and when the time is needed."""
    length = math.ceil(case.load.hours)
    chosen: list[int] = []
    values = np.concatenate([case.past, case.truth])
    for hour in range(case.load.window):
        if len(chosen) == length:
            break
        week = values[hour : hour + 7 * _DAY]
        spread = float(week.std())
        is_low = spread > 0.0 and (case.truth[hour] - week.mean()) / spread < 0.0
        is_running = case.load.is_block and bool(chosen)
        if is_low or is_running or case.load.window - hour <= length - len(chosen):
            chosen.append(hour)
    return case.hourly(chosen)


_RULES: Final[Mapping[Policy, Callable[[_Case], float]]] = {
    Policy.CEIL: _whole_slots,
    Policy.SLOT_START: _from_slot_start,
    Policy.WEEK: _as_in_the_week,
    Policy.YESTERDAY: _as_yesterday,
    Policy.THRESHOLD: _by_threshold,
}


def averages(scores: Sequence[Score], load: Load) -> dict[Policy, float]:
    """Return the part of the oracle that policies keep, mean of the notable grids."""
    notable = [each for each in scores if each.load is load and each.possible > _NOTABLE]
    return {policy: mean(each.kept(policy) for each in notable) for policy in Policy if notable}


def show(scores: Sequence[Score]) -> None:
    """Print the tables and what of the targets is missed."""
    for load in LOADS:
        own = [each for each in scores if each.load is load]
        print(f"\n{load.name}: saving of the oracle, and the part of it that policies keep")
        for number, policy in enumerate(Policy, 1):
            print(f"  {number}: {policy}")
        heads = " ".join(f"{number:>7}" for number, _ in enumerate(Policy, 1))
        print(f"{'grid':12} {'oracle':>7} {heads} {'starts/day':>10} {'missed':>6}")
        for each in own:
            cells = " ".join(f"{each.kept(policy):7.1%}" for policy in Policy)
            starts = each.starts / each.days
            print(f"{each.zone:12} {each.possible:7.1%} {cells} {starts:10.2f} {each.missed:6}")
        if found := averages(scores, load):
            cells = " ".join(f"{found[policy]:7.1%}" for policy in Policy)
            print(f"{'average':12} {'> 10 %':>7} {cells}")
    print()
    for line in verdict(scores):
        print(line)


def verdict(scores: Sequence[Score]) -> Iterator[str]:
    """Yield how the targets were met, a sentence each."""
    for load in LOADS:
        found = averages(scores, load)
        if load.target is None or not found:
            continue
        kept = found[Policy.ROLLING]
        word = "met" if kept >= load.target else "MISSED"
        yield f"{load.name}: {kept:.1%} of the oracle kept, target {load.target:.0%}: {word}"
    missed = sum(each.missed for each in scores)
    yield f"deadlines missed: {missed} of {2 * sum(each.days for each in scores)}"
    for policy in (Policy.ROLLING, Policy.ONCE):
        worst = min(scores, key=lambda each: each.saved(policy))
        word = "met" if worst.saved(policy) >= -_WORSE else "MISSED"
        yield (
            f"{policy}: worst year {worst.saved(policy):+.2%} against running on arrival"
            f" ({worst.zone}, {worst.load.name}): {word}"
        )
    yield f"time of a plan: {mean(each.seconds for each in scores) * 1000.0:.2f} ms"


def _rows(scores: Sequence[Score]) -> list[Row]:
    """Return ours beside the best of the other policies, for each load."""
    rows = []
    for load in LOADS:
        if not (found := averages(scores, load)):
            continue
        best = max(PEERS, key=found.__getitem__)
        rows.append(
            compare(
                benchmark="planning",
                what=f"oracle's saving kept in 2023, {load.name}",
                unit="1",
                better=Better.HIGHER,
                ours=[found[Policy.ROLLING]],
                peer=[found[best]],
                peer_name=best.value,
            )
        )
    return rows
