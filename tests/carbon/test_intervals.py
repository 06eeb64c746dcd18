"""The grid of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given, strategies as st

from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL, floor, pieces

moments = st.floats(0, 4e9)


@given(moments, st.sampled_from([INTERVAL, HOUR]))
@example(1774746000.0, HOUR)
@example(1774745999.9999998, HOUR)
def test_the_start_of_an_interval(moment, step) -> None:
    start = floor(moment, step)

    assert start % step == 0
    assert start <= moment < start + step


@given(moments, st.floats(0, 2e5), st.sampled_from([INTERVAL, HOUR]))
@example(0.0, 0.0, HOUR)
@example(299.99999999999994, 1e-9, INTERVAL)
@example(3600.0, 3600.0, HOUR)
def test_pieces_cover_a_stretch_exactly(start, length, step) -> None:
    end = start + length
    parts = list(pieces(start, end, step))

    assert bool(parts) == (end > start)
    for slot, begin, stop in parts:
        assert slot == floor(begin, step)
        assert slot <= begin < stop <= slot + step
    if parts:
        assert parts[0][1] == start
        assert parts[-1][2] == end
    for before, after in pairwise(parts):
        assert before[2] == after[1] == after[0]


def test_a_local_day_is_a_whole_number_of_intervals() -> None:
    """In every zone there is, whatever its clocks do: an interval belongs to one day."""
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=10 * n) for n in range(37)]
    for name in available_timezones():
        zone = ZoneInfo(name)
        offsets = {moment.astimezone(zone).utcoffset() for moment in moments}
        assert all(offset.total_seconds() % INTERVAL == 0 for offset in offsets), name
