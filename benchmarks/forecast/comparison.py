"""The benchmark `forecast`: learnt on two years, scored on the third, beside persistence."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import mean, median
import sys
import time
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast.scoring import (
    DAY,
    Plan,
    Score,
    coverage,
    mean_error,
    savings,
)
from benchmarks.forecast.zones import Zone, load_zones
from benchmarks.rows import Better, Row, compare
from custom_components.carbon_meter.carbon.forecast.forecaster import Forecaster
from custom_components.carbon_meter.carbon.forecast.history import History, Values
from custom_components.carbon_meter.carbon.forecast.hours import Hours

_PEER: Final = "24 h persistence"
_HOUR: Final = 3600
_REFIT: Final = 28 * DAY
"""Hours between fits where the forecaster learns on through the scored year."""

_COVERAGE: Final = 0.8
"""What the band from p10 to p90 should hold."""

_NOTABLE: Final = 0.10
"""The oracle's saving from which on a grid has to keep most of it."""


def run(rounds: int | None) -> Sequence[Row]:
    """Measure; see `benchmarks.registry.Run`. Rounds are fits of each grid."""
    once = [score(zone, fits=rounds or 1) for zone in _zones("life cycle", "fitted once")]
    _show("life cycle, fitted once to 2021 and 2022", once)
    direct = [score(zone) for zone in _zones("direct", "fitted once")]
    _show("direct emissions, fitted once to 2021 and 2022", direct)
    on = [score(zone, refit=_REFIT) for zone in _zones("life cycle", "fitted every four weeks")]
    _show("life cycle, fitted anew every four weeks of 2023", on)
    return [
        *_rows(once, "life cycle, fitted once"),
        *_rows(on, "life cycle, refitted")[: 1 + len(Plan)],
    ]


def _zones(scope: str, how: str) -> Iterator[Zone]:
    """Yield the grids and tell on standard error where it stands."""
    for zone in load_zones(scope):
        sys.stderr.write(f"    {zone.name}, {scope}, {how}\n")
        yield zone


def score(zone: Zone, *, refit: int | None = None, fits: int = 1) -> Score:
    """Score all hours of the last year but the last day as origins of a forecast.

    It is fitted to the years before, `fits` times over, and again every `refit` hours.
    """
    first, last = zone.scored - 1, len(zone.values) - DAY
    seconds: list[float] = []
    forecasts = [
        _forecast(zone, begin, min(begin + (refit or last), last), fits, seconds)
        for begin in range(first, last, refit or last)
    ]
    low, middle, high = np.concatenate(forecasts, axis=1)[:, :, :DAY]
    windows = np.lib.stride_tricks.sliding_window_view(zone.values, DAY)
    truth, before = windows[first + 1 : last + 1], windows[first + 1 - DAY : last + 1 - DAY]
    midnight = _midnights(zone, first, last)
    return Score(
        zone=zone.name,
        mae=mean_error(middle, truth),
        persistence=mean_error(before, truth),
        coverage=coverage(low, high, truth),
        savings=savings(middle, truth, midnight),
        persistence_savings=savings(before, truth, midnight),
        fit_seconds=seconds,
    )


def _forecast(zone: Zone, first: int, last: int, fits: int, seconds: list[float]) -> Values:
    """Return the quantiles of origins [first, last), fitted to what was known at the first."""
    now = zone.start + (first + 1) * _HOUR
    known = History.of(zone.start, zone.values[: first + 1])
    forecaster = Forecaster(ZoneInfo(zone.time_zone))
    for _ in range(fits):
        begin = time.perf_counter()
        forecaster.fit(known, now)
        seconds.append(time.perf_counter() - begin)
    history = History.of(zone.start, zone.values[:last])
    hours = Hours.until(history, history.end)
    # A history lets go what is older than two years.
    cut = (hours.start - zone.start) // _HOUR
    return forecaster.quantiles(hours, first - cut, last - cut)


def _midnights(zone: Zone, first: int, last: int) -> NDArray[np.intp]:
    """Return the places in [first, last) of the origins that end at a local midnight."""
    local = ZoneInfo(zone.time_zone)
    moments = [zone.start + (origin + 1) * _HOUR for origin in range(first, last)]
    return np.flatnonzero([datetime.fromtimestamp(each, local).hour == 0 for each in moments])


def _show(title: str, scores: Sequence[Score]) -> None:
    """Print a table of grids, averages and targets."""
    print(f"\n{title}: scored on the first 24 hours from every hour of 2023")
    heads = " ".join(f"{f'oracle {number}':>9} {'kept':>6}" for number, _ in enumerate(Plan, 1))
    print(
        f"{'grid':12} {'MAE':>6} {'persist.':>8} {'ratio':>6} {'in band':>7} {heads} {'fit (s)':>7}"
    )
    for each in scores:
        cells = " ".join(
            f"{each.savings[plan].oracle:9.1%} {each.savings[plan].kept:6.1%}" for plan in Plan
        )
        print(
            f"{each.zone:12} {each.mae:6.2f} {each.persistence:8.2f} {each.ratio:6.3f}"
            f" {each.coverage:7.1%} {cells} {median(each.fit_seconds):7.2f}"
        )
    kept = " ".join(f"{'':9} {mean(part):6.1%}" for part in _kept(scores))
    print(
        f"{'average':12} {'':6} {'':8} {mean(each.ratio for each in scores):6.3f}"
        f" {mean(each.coverage for each in scores):7.1%} {kept}"
    )
    kept = " ".join(f"{'':9} {min(part):6.1%}" for part in _kept(scores, _NOTABLE))
    coverages = [each.coverage for each in scores]
    print(
        f"{'worst':12} {'':6} {'':8} {max(each.ratio for each in scores):6.3f}"
        f" {max(coverages, key=lambda part: abs(part - _COVERAGE)):7.1%} {kept}"
        f" {max(max(each.fit_seconds) for each in scores):7.2f}"
    )
    kept = " ".join(f"{'':9} {text:>6}" for text in ["92/80%"] * len(Plan))
    print(f"{'target':12} {'':6} {'':8} {'.8/1.0':>6} {'75-85%':>7} {kept} {'1.00':>7}")
    for number, plan in enumerate(Plan, start=1):
        print(f"{number}: a block of 3 h in 24 h, {plan}")
    print(f"worst of what is kept: where the oracle saves more than {_NOTABLE:.0%}")


def _kept(scores: Sequence[Score], notable: float = 0.0) -> list[list[float]]:
    """Return for each plan what the grids keep whose oracle saves more than a part."""
    return [
        [
            saving.kept
            for saving in (each.savings[plan] for each in scores)
            if saving.oracle > notable
        ]
        for plan in Plan
    ]


def _rows(scores: Sequence[Score], how: str) -> list[Row]:
    """Return the comparisons with persistence: averages first, then the grids."""
    ratio = mean(each.ratio for each in scores)
    return [
        _row(f"{how}: MAE, part of that of the peer, mean of grids", "1", Better.LOWER, ratio, 1.0),
        *(
            _row(
                f"{how}: oracle's saving kept, {plan}, mean of grids",
                "1",
                Better.HIGHER,
                mean(each.savings[plan].kept for each in scores),
                mean(each.persistence_savings[plan].kept for each in scores),
            )
            for plan in Plan
        ),
        *(
            _row(f"{how}: MAE, {each.zone}", "gCO2eq/kWh", Better.LOWER, each.mae, each.persistence)
            for each in scores
        ),
    ]


def _row(what: str, unit: str, better: Better, ours: float, peer: float) -> Row:
    return compare(
        benchmark="forecast",
        what=what,
        unit=unit,
        better=better,
        ours=[ours],
        peer=[peer],
        peer_name=_PEER,
    )
