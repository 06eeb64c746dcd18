"""Hourly figures and their totals."""

from collections import defaultdict
import math
from pathlib import Path
import tempfile
from typing import Any

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from tests.carbon.archived import HOUR, START

SPAN = 80
"""Days; more than two of the stretches that totals are summed by."""

owners = st.sampled_from(["site", "area:kitchen", "meter"])
figures = st.sampled_from(["import", "carbon", "export"])
values = st.one_of(st.just(0.0), st.floats(-1e9, 1e9))


@st.composite
def writes(draw: st.DrawFn) -> tuple[int, int, dict[str, dict[str, list[tuple[int, float]]]]]:
    """Return a call of put_hourly."""
    first = draw(st.integers(0, SPAN * 24))
    length = draw(st.one_of(st.integers(0, 50), st.integers(0, SPAN * 24)))
    hours = st.integers(first, first + max(length, 1) - 1).map(lambda hour: START + hour * HOUR)
    points = st.dictionaries(hours, values, max_size=6).map(lambda found: list(found.items()))
    if length == 0:
        points = st.just([])
    rows = draw(st.dictionaries(owners, st.dictionaries(figures, points), max_size=3))
    return START + first * HOUR, START + (first + length) * HOUR, rows


@given(calls=st.lists(writes(), max_size=8), before=st.integers(0, 2 * SPAN * 24))
def test_figures_and_totals_are_those_of_a_plain_dictionary(calls: list[Any], before: int) -> None:
    """However calls overlap; totals are the sums of what is kept."""
    model: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    end = START + 3 * SPAN * 24 * HOUR
    names = ["export", "import", "never seen", "carbon"]
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        for start, stop, rows in calls:
            archive.put_hourly(start, stop, rows)
            for (owner, _), kept in model.items():
                if owner in rows:
                    for hour in [hour for hour in kept if start <= hour < stop]:
                        del kept[hour]
            for owner, by_figure in rows.items():
                for figure, points in by_figure.items():
                    model[owner, figure].update((hour, value) for hour, value in points if value)
        found = {
            owner: archive.hourly(owner, names, START, end)
            for owner in ("site", "area:kitchen", "meter", "never seen")
        }
        totals, totals_before = archive.totals(), archive.totals(START + before * HOUR)
        span = (archive.first_hour(), archive.last_hour())
        archive.close()
    kept_hours = {hour for kept in model.values() for hour in kept}
    assert span == (min(kept_hours, default=None), max(kept_hours, default=None))
    for owner, series in found.items():
        expected = sorted({hour for figure in names for hour in model.get((owner, figure), ())})
        assert series.figures == tuple(names)
        assert series.hours.tolist() == expected
        for figure, row in zip(names, series.values, strict=True):
            assert row.tolist() == [
                model.get((owner, figure), {}).get(hour, 0.0) for hour in expected
            ]
        for figure in names:
            kept = model.get((owner, figure), {})
            _close(totals.get(owner, {}).get(figure, 0.0), kept.values())
            _close(
                totals_before.get(owner, {}).get(figure, 0.0),
                [value for hour, value in kept.items() if hour < START + before * HOUR],
            )


def _close(total: float, parts: Any) -> None:
    """Assert that a total is the sum of its parts."""
    size = math.fsum(abs(part) for part in parts)
    assert abs(total - math.fsum(parts)) <= 1e-13 * size


def test_all_hours_of_a_stretch_in_one_array(archive: Archive) -> None:
    archive.put_hourly(
        START,
        START + 48 * HOUR,
        {"site": {"import": [(START + 2 * HOUR, 2.0), (START + 30 * HOUR, 3.0)], "export": []}},
    )
    series = archive.hourly("site", ["import", "export"], START, START + 48 * HOUR)
    dense = series.dense(START + HOUR, START + 4 * HOUR)
    assert dense.tolist() == [[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]
    assert series.dense(START, START + 48 * HOUR).sum() == 5.0


def test_a_base_is_part_of_every_total(archive: Archive) -> None:
    archive.put_base("meter", "import", 100.0)
    archive.put_base("meter", "import", 1000.5)
    archive.put_hourly(START, START + HOUR, {"meter": {"import": [(START, 2.0)]}})
    assert archive.totals() == {"meter": {"import": 1002.5}}
    assert archive.totals(START) == {"meter": {"import": 1000.5}}
    archive.put_base("other", "export", 1.0)
    archive.put_hourly(START, START + HOUR, {"empty": {"import": [(START, 0.0)]}})
    assert archive.owners() == ("meter", "other")
    archive.drop_owner("meter")
    assert archive.owners() == ("other",)
    assert archive.totals() == {"other": {"export": 1.0}}
    assert archive.first_hour() is None


def test_a_total_does_not_drift_however_often_an_hour_is_restated(archive: Archive) -> None:
    archive.put_hourly(START, START + HOUR, {"m": {"carbon": [(START, 0.1)]}})
    for value in (1e15, 3.3e14, 0.7):
        archive.put_hourly(
            START + HOUR, START + 2 * HOUR, {"m": {"carbon": [(START + HOUR, value)]}}
        )
    archive.put_hourly(START + HOUR, START + 2 * HOUR, {"m": {}})
    assert archive.totals() == {"m": {"carbon": 0.1}}


@pytest.mark.parametrize(
    "points",
    [
        [(START, float("nan"))],
        [(START, float("inf"))],
        [(START + 300, 1.0)],
        [(START + 0.5, 1.0)],
        [(float("nan"), 1.0)],
        [(START - HOUR, 1.0)],
        [(START + 2 * HOUR, 1.0)],
        [(START, "much")],
        [START],
        [(START, None)],
    ],
)
def test_a_figure_that_cannot_be_is_refused_with_all_that_came_with_it(
    archive: Archive, points: Any
) -> None:
    archive.put_hourly(START, START + HOUR, {"site": {"carbon": [(START, 5.0)]}})
    with pytest.raises(ValueError, match="carbon of m: not"):
        archive.put_hourly(
            START,
            START + 2 * HOUR,
            {"site": {"carbon": [(START, 7.0)]}, "m": {"carbon": points}},
        )
    assert archive.totals() == {"site": {"carbon": 5.0}}
    with pytest.raises(ValueError, match="not finite"):
        archive.put_base("site", "carbon", float("nan"))
    with pytest.raises(ValueError, match="start of an hour"):
        archive.totals(START + 1)


def test_what_numpy_gives_is_taken(archive: Archive) -> None:
    hours = START + np.arange(3) * HOUR
    points = list(zip(hours, np.array([1.0, 2.0, 4.0]), strict=True))
    archive.put_hourly(START, START + 3 * HOUR, {"m": {"import": points}})
    assert archive.totals() == {"m": {"import": 7.0}}
