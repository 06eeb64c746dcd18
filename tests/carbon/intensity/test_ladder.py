"""Several sources as one: the best that knows the time asked for."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval, SourceInfo


class Patchy:
    """A source that knows some stretches only."""

    refresh_after: float | None = None

    def __init__(self, name: str, stretches: list[tuple[float, float]], value: float) -> None:
        self.info = SourceInfo(id=name, name=name)
        self._known = [(start, end, value + index) for index, (start, end) in enumerate(stretches)]

    async def refresh(self) -> None:
        return

    def intervals(self, start: float, end: float) -> list[IntensityInterval]:
        return [
            IntensityInterval(
                start=max(start, begin),
                end=min(end, stop),
                value=value,
                grade=Grade.MEASURED,
                source=self.info.id,
            )
            for begin, stop, value in self._known
            if max(start, begin) < min(end, stop)
        ]


def told(intervals: list[IntensityInterval]) -> list[tuple[float, float, float]]:
    return [(item.start, item.end, item.value) for item in intervals]


def test_holes_are_filled_from_the_next_source() -> None:
    ladder = Ladder(
        [Patchy("a", [(10, 20), (40, 50)], 100), Patchy("b", [(15, 45)], 200), FixedSource(7)]
    )

    assert told(ladder.intervals(0, 60)) == [
        (0, 10, 7),
        (10, 20, 100),
        (20, 40, 200),
        (40, 50, 101),
        (50, 60, 7),
    ]


def test_where_nobody_knows_there_is_a_hole() -> None:
    ladder = Ladder([Patchy("a", [(10, 20)], 100), Patchy("b", [(30, 40)], 200)])

    assert told(ladder.intervals(0, 60)) == [(10, 20, 100), (30, 40, 200)]
    assert ladder.at(25.0) is None
    assert ladder.at(9.9999) is None
    assert ladder.at(20.0) is None


@pytest.mark.parametrize("moment", [1.79e9, 1.79e9 + 0.123456])
def test_the_intensity_at_a_moment_is_the_one_that_begins_there(moment) -> None:
    ladder = Ladder([Patchy("a", [(moment, moment + 10)], 100), FixedSource(7)])

    assert ladder.at(moment).value == 100
    assert ladder.at(moment - 0.01).value == 7
    assert ladder.at(moment + 10).value == 7


def test_a_ladder_without_rungs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one source"):
        Ladder([])


stretches = st.lists(st.integers(0, 100), max_size=8, unique=True).map(
    lambda edges: list(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


@given(stretches, stretches, st.integers(0, 100), st.integers(0, 100))
def test_every_moment_has_the_best_source_that_knows_it(first, second, start, end) -> None:
    sources = [Patchy("a", first, 100), Patchy("b", second, 200), FixedSource(7)]
    found = Ladder(sources).intervals(start, end)

    if start < end:
        assert (found[0].start, found[-1].end) == (start, end)
        assert all(before.end == after.start for before, after in pairwise(found))
    else:
        assert found == []
    for moment in range(start, end):
        best = next(source for source in sources if source.intervals(moment, moment + 1))
        (here,) = (item for item in found if item.start <= moment < item.end)
        assert (here.source, here.value) == (
            best.info.id,
            best.intervals(moment, moment + 1)[0].value,
        )
