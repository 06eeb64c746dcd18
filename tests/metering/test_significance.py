"""What is shown at once, and what waits."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.readings import Fault
from custom_components.carbon_meter.metering.significance import Significance

T = 1_790_000_000.0
FAULT = Fault(quantity="voltage", register="input 0x0000", reason="implausible value 1e9")


def written(samples, **options) -> list[float]:
    significance = Significance(**options)
    return [time - T for time, values in samples if significance.is_due(time, values)]


def test_a_steady_load_is_written_every_ten_seconds() -> None:
    samples = [(T + second, {"power": 500.0 + second % 3}) for second in range(41)]
    assert written(samples) == [0, 10, 20, 30, 40]
    assert written(samples, interval=15.0) == [0, 15, 30]


@pytest.mark.parametrize("late", [-0.4, -0.01, 0.0, 0.3])
def test_a_poll_that_is_not_punctual_is_written_all_the_same(late) -> None:
    samples = [(T + 10 * poll + late * (poll % 2), {"power": 1.0}) for poll in range(10)]
    assert len(written(samples)) == 10


def test_a_meter_that_is_asked_seldom_is_always_written() -> None:
    assert len(written([(T + 900 * poll, {"power": 1.0}) for poll in range(5)])) == 5


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [
        (200.0, 240.0, False),  # less than 50 W
        (200.0, 251.0, True),
        (3000.0, 3200.0, False),  # less than a tenth
        (3000.0, 3301.0, True),
        (3000.0, 200.0, True),
        (-3000.0, -3301.0, True),  # export
        (-20.0, 40.0, True),
    ],
)
def test_a_change_of_power_is_written_at_once(before, after, due) -> None:
    significance = Significance()
    assert significance.is_due(T, {"power": before})
    assert significance.is_due(T + 1, {"power": after}) is due


def test_a_slow_drift_is_measured_against_what_is_shown() -> None:
    samples = [(T + second, {"power": 100.0 + 20 * second}) for second in range(10)]
    assert written(samples) == [0, 3, 9]


def test_becoming_known_or_unknown_is_written_at_once() -> None:
    significance = Significance()
    assert significance.is_due(T, {"power": 1.0})
    assert significance.is_due(T + 1, {"power": 1.0, "voltage": 230.0})
    assert not significance.is_due(T + 2, {"power": 1.0, "voltage": 231.0})
    assert significance.is_due(T + 3, {"voltage": 231.0})


def test_a_fault_that_comes_or_goes_is_written_at_once() -> None:
    significance = Significance()
    assert significance.is_due(T, {})
    assert significance.is_due(T + 1, {}, (FAULT,))
    other = Fault(quantity="voltage", register="input 0x0000", reason="implausible value 2e9")
    assert not significance.is_due(T + 2, {}, (other,))
    assert significance.is_due(T + 3, {})


def test_a_clock_that_is_set_back_does_not_stop_the_writing() -> None:
    significance = Significance()
    assert significance.is_due(T, {"power": 1.0})
    assert significance.is_due(T - 86400, {"power": 1.0})
    assert not significance.is_due(T - 86399, {"power": 1.0})
    assert significance.is_due(T - 86390, {"power": 1.0})


anything = st.fixed_dictionaries(
    {}, optional={"power": st.floats(-1e5, 1e5), "voltage": st.floats(0, 500)}
)


@given(st.lists(st.tuples(anything, st.booleans()), min_size=60, max_size=60))
def test_whatever_it_says_a_meter_writes_neither_too_much_nor_too_little(samples) -> None:
    """A sample a second for a minute: one writing per interval and five ahead of it at most."""
    significance = Significance()
    times = [
        second
        for second, (values, faulty) in enumerate(samples)
        if significance.is_due(T + second, values, (FAULT,) if faulty else ())
    ]
    assert times[0] == 0
    assert {0, 10, 20, 30, 40, 50} <= set(times)
    for start in range(0, 60, 10):
        assert sum(start <= time < start + 10 for time in times) <= 6
