"""Counters: what is booked is what has flowed, whatever the counter does in between."""

import json
import struct
from typing import ClassVar

from hypothesis import given, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
import pytest

from custom_components.carbon_meter.metering.counters import Counter, CounterEvent, CounterStep

MAX_POWER = 20_000.0
"""W"""


def restarted(counter: Counter, rollover: float | None = None) -> Counter:
    """Return the counter after a restart: what it was travels through a JSON file."""
    stored = json.loads(json.dumps(counter.as_dict()))
    return Counter.from_dict(stored, max_power=MAX_POWER, rollover=rollover)


def as_f32_kwh(value: float) -> float:
    """Return what a meter with a 32-bit float of kilowatt-hours shows."""
    return struct.unpack(">f", struct.pack(">f", value / 1000))[0] * 1000


def in_steps_of(step: float):
    return lambda value: value // step * step


DISPLAYS = {
    "exact": (lambda value: value, 0.0, 1e-9),
    "float32": (as_f32_kwh, 0.0, 2**-24),
    "1 Wh": (in_steps_of(1.0), 1.0, 1e-9),
    "100 Wh": (in_steps_of(100.0), 100.0, 1e-9),
}
"""How a meter shows a count, with the largest error: absolute and relative."""


class CounterMachine(RuleBasedStateMachine):
    """A meter that counts truly and is disturbed, and a counter that only sees what it shows."""

    disturbances: ClassVar[bool] = True
    rollover: ClassVar[float | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.counter = Counter(max_power=MAX_POWER, rollover=self.rollover)
        self.now = 0.0
        self.flowed = 0.0
        """Wh that have truly flowed."""

        self.booked = 0.0
        self.lost = 0.0
        """Wh that no reading can show: before a reset, or across a jump."""

        self.tolerance = 0.0
        self.history: list[float] = []
        """What had flowed at each clean reading since the last one that was believed."""

        self.levels: list[float] = []
        """What the meter has shown since."""

        self.believed = 0.0
        self.reset_at = 0.0
        self.settled_at = self.read_at = 0.0
        self.undisturbed = 3
        self.spikes = 0
        self.expected: set[CounterEvent] = set()

    @initialize(
        start=st.floats(0, 9e7), display=st.sampled_from(sorted(DISPLAYS)), first=st.booleans()
    )
    def install(self, start: float, display: str, first: bool) -> None:
        self.show, self.step, self.relative = DISPLAYS[display]
        self.offset = start
        if first:
            self.read()

    def shown(self) -> float:
        value = self.offset + self.flowed
        return self.show(value if self.rollover is None else value % self.rollover)

    @rule(seconds=st.floats(1, 3600), power=st.floats(0, MAX_POWER * 0.7))
    def consume(self, seconds: float, power: float) -> None:
        self.now += seconds
        self.flowed += power * seconds / 3600

    def _step(self, value: float, *, trusted: bool = True) -> CounterStep:
        step = self.counter.step(
            value,
            self.now - self.settled_at,
            since_last=self.now - self.read_at,
            trusted=trusted,
        )
        self.read_at = self.now
        assert step.energy >= 0
        assert not (step.pending and (step.energy or step.event))
        if not step.pending:
            self.settled_at = self.now
        self.booked += step.energy
        return step

    @rule()
    def read(self) -> None:
        first = self.counter.last is None
        self.tolerance += 2 * (self.step + self.relative * abs(self.shown()))
        step = self._step(self.shown())
        self.history.append(self.flowed)
        self.levels.append(self.shown())
        self.spikes = 0
        self.undisturbed += 1
        if first:
            self.lost = self.flowed
        if step.event is CounterEvent.RESET:
            self.lost += self.reset_at - self.believed
        elif step.event in (CounterEvent.JUMP, CounterEvent.REPLACED):
            self.lost += self.history[-3] - self.believed
        if step.event is not None:
            assert step.event in self.expected
        if not step.pending:
            self.believed, self.history, self.levels = self.flowed, [], []
            self.expected.clear()
        # A level that three readings agree on is believed.
        assert not step.pending or self.undisturbed < 3

    @rule()
    def restart(self) -> None:
        self.counter = restarted(self.counter, self.rollover)

    def is_absurd(self, value: float) -> bool:
        """Return whether a value is nowhere near where the counter has been or is."""
        last = self.counter.last or 0.0
        limit = MAX_POWER * (self.now + 3600 - self.settled_at) / 3600 + 1000
        around = self.rollover is not None and value + self.rollover <= last + limit
        levels = (last, self.shown(), *self.levels)
        return min(abs(value - level) for level in levels) > limit and not around

    @precondition(lambda self: self.counter.last is not None and self.spikes < 2)
    @rule(
        garbage=st.one_of(
            st.just(0.0), st.floats(2e9, 1e12), st.floats(0, 0.3).map(lambda part: part * 1e7)
        )
    )
    def spike(self, garbage: float) -> None:
        """One or two readings of anything that cannot be."""
        if not self.is_absurd(garbage):
            return
        step = self._step(garbage)
        self.history.append(self.flowed)
        self.spikes += 1
        self.undisturbed = 0
        self.expected.add(CounterEvent.SPIKE)
        assert step.pending

    @precondition(lambda self: self.counter.last is not None)
    @rule(garbage=st.floats(0, 1e12))
    def nonsense(self, garbage: float) -> None:
        """A reading whose other registers are impossible too confirms nothing."""
        if not self.is_absurd(garbage):
            return
        assert self._step(garbage, trusted=False).pending
        self.history = []
        self.undisturbed = 0
        self.spikes = 0

    @precondition(lambda self: self.disturbances and self.counter.last is not None)
    @rule()
    def reset(self) -> None:
        """The meter loses its count, which is more than can flow in the test."""
        if (self.counter.last or 0.0) < 3e6 or self.offset + self.flowed < 3e6:
            return
        self.offset = -self.flowed
        self.reset_at = self.flowed
        self.undisturbed = 0
        self.expected |= {CounterEvent.RESET, CounterEvent.REPLACED}

    @precondition(lambda self: self.disturbances and self.counter.last is not None)
    @rule(rise=st.floats(5e6, 1e9))
    def jump(self, rise: float) -> None:
        if not self.is_absurd(self.shown() + rise):
            return
        self.offset += rise
        self.undisturbed = 0
        self.expected |= {CounterEvent.JUMP, CounterEvent.REPLACED}

    @precondition(lambda self: self.disturbances and self.counter.last is not None)
    @rule(fall=st.floats(3e6, 8e7))
    def replace(self, fall: float) -> None:
        """Another meter, or another count: far below, and not near zero."""
        if self.offset + self.flowed - fall < 3e6 or not self.is_absurd(self.shown() - fall):
            return
        self.offset -= fall
        self.undisturbed = 0
        self.expected |= {CounterEvent.REPLACED, CounterEvent.JUMP}

    @invariant()
    def nothing_is_booked_twice(self) -> None:
        assert self.booked <= self.flowed - self.lost + self.tolerance + 1.0

    @invariant()
    def nothing_is_lost(self) -> None:
        """What was believed last is booked, but for what no reading could show."""
        if self.counter.last is not None:
            assert self.booked >= self.believed - self.lost - self.tolerance - 1.0


class RolloverMachine(CounterMachine):
    """The same with a counter that starts again from zero, again and again."""

    disturbances = False
    rollover = 60_000.0

    @initialize(
        start=st.floats(0, 59_000), display=st.sampled_from(sorted(DISPLAYS)), first=st.booleans()
    )
    def install(self, start: float, display: str, first: bool) -> None:
        super().install(start, display, first)

    @rule()
    def read(self) -> None:
        self.expected |= {CounterEvent.ROLLOVER}
        super().read()


TestCounter = CounterMachine.TestCase
TestRollover = RolloverMachine.TestCase
TestCounter.settings = TestRollover.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)


def stepped(values: list[float], *, seconds: float = 10.0, **setup: float) -> list[CounterStep]:
    """Return the steps of values that come at regular times."""
    counter = Counter(**({"max_power": MAX_POWER} | setup))
    steps, settled = [], 0
    for index, value in enumerate(values):
        step = counter.step(value, (index - settled) * seconds, since_last=seconds)
        settled = settled if step.pending else index
        steps.append(step)
    return steps


def told(steps: list[CounterStep]) -> list[tuple[float, str | None, float]]:
    return [(step.energy, step.event and step.event.value, step.set_apart) for step in steps]


def test_counting() -> None:
    assert told(stepped([1000.0, 1020.0, 1020.0, 1050.0])) == [
        (0.0, None, 0.0),
        (20.0, None, 0.0),
        (0.0, None, 0.0),
        (30.0, None, 0.0),
    ]


def test_a_spike_is_set_apart_and_what_flowed_meanwhile_is_booked() -> None:
    steps = stepped([1000.0, 1010.0, 9e9, 1030.0])

    assert [step.pending for step in steps] == [False, False, True, False]
    assert told(steps)[3] == (20.0, "spike", 9e9 - 1010.0)


def test_a_reset_books_what_was_counted_since_zero() -> None:
    steps = stepped([50_000.0, 50_010.0, 5.0, 15.0, 25.0, 35.0])

    assert [step.pending for step in steps] == [False, False, True, True, False, False]
    assert told(steps)[4:] == [(25.0, "reset", 0.0), (10.0, None, 0.0)]


def test_a_replaced_meter_is_a_new_start() -> None:
    steps = stepped([50_000_000.0, 7e6, 7e6 + 10, 7e6 + 30])

    assert told(steps)[3] == (30.0, "replaced", 7e6 - 5e7)


def test_a_used_meter_put_in_during_a_gap_is_no_reset() -> None:
    """A direct-connected single-phase meter cannot have counted 120 kWh in twenty minutes."""
    counter = Counter(max_power=30_000)
    counter.step(5e6, 0.0, since_last=0.0)

    steps = [counter.step(120_000.0, 1200 + 10 * n, since_last=10.0) for n in range(4)]

    assert steps[2].event is CounterEvent.REPLACED
    assert sum(step.energy for step in steps) == 0


def test_a_jump_is_set_apart() -> None:
    steps = stepped([1000.0, 1e6, 1e6 + 10, 1e6 + 30, 1e6 + 40])

    assert told(steps)[3:] == [(30.0, "jump", 1e6 - 1000.0), (10.0, None, 0.0)]


@given(st.floats(56, 5000))
def test_a_jump_is_not_believed_because_it_has_waited(rise) -> None:
    """20 kW bring 55.6 Wh in ten seconds; that the rise fits half an hour proves nothing."""
    # Not from a round figure: a counter that shows hundreds only may well step by one.
    steps = stepped([1003.0, 1004.0 + rise, 1005.0 + rise, 1006.0 + rise, 1007.0 + rise])

    assert [step.energy for step in steps] == pytest.approx([0, 0, 0, 2, 1])
    assert told(steps)[3][1] == "jump"
    assert steps[3].set_apart == pytest.approx(1 + rise)


def test_a_rise_that_fits_a_long_gap_is_energy() -> None:
    counter = Counter(max_power=MAX_POWER)
    counter.step(1000.0, 0.0, since_last=0.0)

    step = counter.step(1000.0 + 24_000.0, 7200.0, since_last=7200.0)

    assert (step.energy, step.event) == (24_000.0, None)


def test_rounding_of_32_bit_floats_is_no_running_back() -> None:
    shown = [as_f32_kwh(8e7 + extra) for extra in (0, 5, 4, 5, 12)]
    shown[2] = shown[1] - 8.0  # one step of the float

    steps = stepped(shown)

    assert not any(step.event or step.pending for step in steps)
    assert sum(step.energy for step in steps) == shown[-1] - shown[0]


def test_a_rollover_loses_nothing() -> None:
    steps = stepped([99_990.0, 5.0, 15.0], rollover=100_000.0)

    assert told(steps)[1:] == [(15.0, "rollover", 0.0), (10.0, None, 0.0)]


def test_a_spike_right_before_a_rollover_hides_it_not() -> None:
    steps = stepped([99_990.0, 9e9, 5.0, 15.0], rollover=100_000.0)

    assert [step.energy for step in steps] == [0.0, 0.0, 15.0, 10.0]


def test_a_fall_that_is_no_rollover_is_a_reset() -> None:
    steps = stepped([50_000.0, 5.0, 15.0, 25.0], rollover=100_000.0)

    assert told(steps)[3] == (25.0, "reset", 0.0)


def test_nonsense_is_no_baseline_and_confirms_nothing() -> None:
    counter = Counter(max_power=MAX_POWER)
    assert counter.step(3e9, 0.0, since_last=0.0, trusted=False).pending
    assert counter.last is None
    assert not counter.step(1000.0, 0.0, since_last=0.0).pending

    for _ in range(5):
        assert counter.step(3e9, 10.0, since_last=10.0, trusted=False).pending
    assert counter.step(1020.0, 60.0, since_last=10.0).energy == 20.0


def test_missing_values_between_make_no_level() -> None:
    counter = Counter(max_power=MAX_POWER)
    counter.step(50_000.0, 0.0, since_last=0.0)
    for _ in range(3):
        assert counter.step(5.0, 10.0, since_last=10.0).pending
        counter.doubt()

    assert counter.last == 50_000.0


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=30), st.floats(1, 3600))
def test_no_series_of_values_books_more_than_the_power_allows(values, seconds) -> None:
    """Whatever a broken meter says: energy is never negative, and never beyond all bounds."""
    steps = stepped(values, seconds=seconds)

    assert all(step.energy >= 0 for step in steps)
    span = len(values) * max(seconds, 1.0)
    slack = len(values) * max(0.5, 3e-7 * max(values))
    assert sum(step.energy for step in steps) <= MAX_POWER * span / 3600 + slack


@given(st.lists(st.floats(0, 1e6), max_size=12), st.integers(0, 11))
def test_a_restart_changes_nothing(values, when) -> None:
    plain, interrupted = Counter(max_power=MAX_POWER), Counter(max_power=MAX_POWER)
    for index, value in enumerate(values):
        if index == when:
            interrupted = restarted(interrupted)
        assert plain.step(value, 10.0, since_last=10.0) == interrupted.step(
            value, 10.0, since_last=10.0
        )
        assert plain.as_dict() == interrupted.as_dict()


def test_a_jump_is_no_pace() -> None:
    counter = Counter(max_power=30_000)
    counter.step(5e6, 0, since_last=0)
    steps = [counter.step(5.3e6 + 20 * n, 10 * n + 10, since_last=10) for n in range(4)]
    assert [step.event for step in steps if step.event] == ["jump"]
    assert sum(step.energy for step in steps) == pytest.approx(60)
