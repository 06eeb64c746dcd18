"""A wall around sources: whatever they say, only possible intensities come through."""

from collections.abc import Sequence
import math
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.checked import (
    HIGHEST,
    CheckedSource,
    UnusableSourceError,
)
from custom_components.carbon_meter.carbon.intensity.kept import KeptSource
from custom_components.carbon_meter.carbon.intensity.source import (
    IntensityInterval,
    IntensityKind,
    SourceInfo,
)


class Teller:
    """Says what a test says."""

    def __init__(self, *known: Any, info: Any = None, refresh_after: Any = None) -> None:
        self.known = known
        self.info = info or SourceInfo(id="teller", name="Teller")
        self.refresh_after = refresh_after
        self.refreshed = 0

    async def refresh(self) -> None:
        self.refreshed += 1

    def intervals(self, start: float, end: float) -> Sequence[Any]:
        return self.known


def interval(start: float, end: float, value: float = 100.0, source: str = "teller") -> Any:
    return IntensityInterval(start=start, end=end, value=value, grade=Grade.MEASURED, source=source)


def checked(*known: Any) -> CheckedSource:
    return CheckedSource(Teller(*known), "own.teller")


def test_intervals_are_cut_and_named() -> None:
    source = checked(interval(0, 10), interval(10, 20, 50.0, "teller:2026"))
    found = source.intervals(5, 15)
    assert [(each.start, each.end, each.value) for each in found] == [(5, 10, 100), (10, 15, 50)]
    assert [each.source for each in found] == ["own.teller", "own.teller:2026"]
    assert source.info.id == "own.teller"


def test_overlaps_and_disorder_count_once() -> None:
    found = checked(interval(0, 10), interval(5, 12, 1.0), interval(3, 4, 2.0)).intervals(0, 20)
    assert [(each.start, each.end, each.value) for each in found] == [(0, 10, 100), (10, 12, 1)]


@given(
    st.lists(st.tuples(st.floats(), st.floats(), st.floats())),
    st.floats(0, 1e9),
    st.floats(0, 1e6),
)
def test_nothing_impossible_comes_through(
    said: list[tuple[float, float, float]], start: float, length: float
) -> None:
    source = checked(*(interval(begin, end, value) for begin, end, value in said))
    try:
        found = source.intervals(start, start + length)
    except UnusableSourceError:
        assert not all(math.isfinite(part) for each in said for part in each) or not all(
            0 <= value <= HIGHEST for _, _, value in said
        )
        return
    position = start
    for each in found:
        assert position <= each.start < each.end <= start + length
        assert 0 <= each.value <= HIGHEST
        position = each.end


@pytest.mark.parametrize("said", [7, None, (0, 1, 2)])
def test_what_is_no_interval_is_told(said: Any) -> None:
    with pytest.raises(UnusableSourceError, match="not an IntensityInterval"):
        checked(said).intervals(0, 1)


@pytest.mark.parametrize("seconds", ["soon", -1, math.nan, math.inf])
def test_impossible_patience_is_told(seconds: Any) -> None:
    source = CheckedSource(Teller(refresh_after=seconds), "own")
    with pytest.raises(UnusableSourceError, match="refresh_after"):
        _ = source.refresh_after


async def test_refreshes_are_passed_on() -> None:
    teller = Teller(refresh_after=300)
    source = CheckedSource(teller, "own")
    await source.refresh()
    assert teller.refreshed == 1
    assert source.refresh_after == 300.0
    assert checked().refresh_after is None


def test_marginal_and_nameless_sources_are_refused() -> None:
    margin = SourceInfo(id="margin", name="Margin", kind=IntensityKind.MARGINAL)
    with pytest.raises(UnusableSourceError, match="marginal, not average"):
        CheckedSource(Teller(info=margin), "own")
    with pytest.raises(UnusableSourceError, match="not a SourceInfo"):
        CheckedSource(Teller(info="me"), "own")


@given(
    st.lists(st.tuples(st.floats(1, 900), st.floats(1, 900), st.floats(0, HIGHEST)), max_size=20),
    st.floats(0, 9000),
    st.floats(0, 9000),
)
def test_kept_intervals_survive_a_restart(
    said: list[tuple[float, float, float]], start: float, length: float
) -> None:
    known, position = [], 0.0
    for gap, lasts, value in said:
        known.append(interval(position + gap, position + gap + lasts, value))
        position += gap + lasts
    before, after = (KeptSource(SourceInfo(id="own", name="Own")) for _ in range(2))
    before.take(known)
    after.restore(before.as_dict())
    found = after.intervals(start, start + length)
    assert found == before.intervals(start, start + length)
    assert found == CheckedSource(Teller(*known), "teller").intervals(start, start + length)
