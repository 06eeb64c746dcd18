"""What a meter says is held against itself, and told once."""

import math

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.consistency import Consistency
from custom_components.carbon_meter.metering.incidents import Incident, Reason
from custom_components.carbon_meter.metering.metering_error import OwnError
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.metering.readings import Reading
from custom_components.carbon_meter.metering.rolling import HOUR

T = 1_790_000_000.0
GOOD = {
    "voltage_l1": 230.0,
    "voltage_l2": 231.0,
    "voltage_l3": 229.0,
    "current_l1": 5.0,
    "current_l2": 4.0,
    "current_l3": 1.0,
    "power_l1": 1100.0,
    "power_l2": 900.0,
    "power_l3": 200.0,
    "power": 2200.0,
    "apparent_power": 2303.0,
    "power_factor": 0.955,
    "frequency": 50.01,
}


class Checked:
    """A meter whose readings are checked, one a second."""

    def __init__(self, **options) -> None:
        self.now, self.monotonic = T, 1000.0
        self.options = {"phases": 3, "max_power": 1e6} | options
        self.consistency = Consistency(**self.options)

    def say(self, times: int = 1, *, without: tuple[str, ...] = (), **changes) -> list[Incident]:
        told = []
        for _ in range(times):
            self.now += 1
            self.monotonic += 1
            values = {key: value for key, value in (GOOD | changes).items() if key not in without}
            reading = Reading(time=self.now, values=values)
            told += self.consistency.observe(reading, monotonic=self.monotonic)
        return told


def test_a_good_meter_has_nothing_to_tell() -> None:
    assert Checked().say(100) == []


@pytest.mark.parametrize(
    ("changes", "reason", "quantity", "amount"),
    [
        ({"power_l2": 100.0}, Reason.PHASE_SUM, "power", -800.0),
        ({"power": 5000.0}, Reason.POWER, "power", 5000.0),
        ({"power_factor": 0.4}, Reason.POWER_FACTOR, "power_factor", None),
        ({"voltage_l2": 0.0}, Reason.VOLTAGE, "voltage_l2", 0.0),
        ({"voltage_l3": 560.0}, Reason.VOLTAGE, "voltage_l3", 560.0),
        ({"frequency": 30.0}, Reason.FREQUENCY, "frequency", 30.0),
        ({"frequency": 650.0}, Reason.FREQUENCY, "frequency", 650.0),
    ],
)
def test_what_is_wrong_is_told_when_it_begins_and_when_it_is_over(
    changes, reason, quantity, amount
) -> None:
    meter = Checked()
    meter.say(5)
    first = meter.now + 1
    told = meter.say(20, **changes)
    begun = [incident for incident in told if incident.reason is reason]
    assert [(item.time, item.quantity, item.ended) for item in begun] == [(first, quantity, None)]
    if amount is not None:
        assert begun[0].amount == pytest.approx(amount)
    assert begun[0].unit == QUANTITIES[quantity].unit
    ended = [incident for incident in meter.say(10) if incident.reason is reason]
    assert [(item.time, item.lasts) for item in ended] == [(first, False)]
    assert ended[0].ended == first + 22
    assert meter.say(10) == []


def test_phases_that_are_signed_differently_do_not_disagree() -> None:
    meter = Checked()
    assert meter.say(10, power=-2200.0) == []  # magnitudes of the phases, total signed
    assert meter.say(10, power_l2=-900.0) == []  # one phase the other way round
    assert meter.say(10, power_l1=-1100.0, power_l2=-900.0, power_l3=-200.0) == []


def test_phases_are_not_added_up_where_one_is_not_known() -> None:
    assert Checked().say(10, without=("power_l3",)) == []
    assert Checked(phases=1).say(10, power_l2=100.0, power_l3=0.0) == []


def test_a_switch_between_two_registers_is_no_disagreement() -> None:
    meter = Checked()
    assert meter.say(2, power_l2=300.0) == []
    assert meter.say(5) == []


def test_a_check_that_just_passes_does_not_end_what_was_told() -> None:
    meter = Checked()
    assert len(meter.say(5, power_l2=900.0 - 130.0)) == 1
    assert meter.say(20, power_l2=900.0 - 95.0) == []
    assert [incident.lasts for incident in meter.say(5)] == [False]


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [
        ({"power": 9e8}, "power"),
        ({"voltage_l1": 6553.5}, "voltage_l1"),
        ({"voltage_l1": 0.0}, "voltage_l1"),
        ({"frequency": 327.67}, "frequency"),
    ],
)
def test_one_impossible_value_is_a_spike(changes, quantity) -> None:
    meter = Checked()
    meter.say(5)
    meter.say(1, **changes)
    at = meter.now
    (spike,) = meter.say(5)
    assert (spike.reason, spike.quantity) == (Reason.SPIKE, quantity)
    assert (spike.time, spike.ended, spike.amount) == (at, at, changes[quantity])


def test_a_phase_that_is_not_wired_is_none_that_failed() -> None:
    changes = {"voltage_l3": 0.4, "power_l3": 0.0, "current_l3": 0.0, "power": 2000.0}
    assert Checked().say(10, apparent_power=2100.0, **changes) == []


def test_a_meter_at_medium_voltage_is_not_held_against_a_socket() -> None:
    changes = {f"voltage_l{phase}": 11_500.0 for phase in (1, 2, 3)}
    assert Checked().say(10, **changes) == []


def test_power_beyond_the_family_is_impossible_only_where_nothing_carries_it() -> None:
    plain = ("current_l1", "voltage_l1")
    currents = {f"current_l{phase}": 5000.0 for phase in (1, 2, 3)}
    powers = {f"power_l{phase}": 8e5 for phase in (1, 2, 3)} | {"power": 2.4e6}
    factor = ("power_factor",)
    assert Checked().say(5, without=factor, **powers, **currents) == []
    told = Checked().say(5, without=(*factor, *plain, "voltage_l2", "voltage_l3"), **powers)
    assert [incident.reason for incident in told] == [Reason.POWER]


@pytest.mark.parametrize("by", [-3600.0, -3.0, 2.5, 86400.0])
def test_a_clock_that_is_set_is_told_with_how_far(by) -> None:
    meter = Checked()
    meter.say(5)
    meter.now += by
    (jump,) = meter.say(5)
    assert (jump.reason, jump.unit, jump.ended) == (Reason.CLOCK, "s", jump.time)
    assert jump.amount == pytest.approx(by)


def test_a_reading_that_is_late_is_no_clock_that_was_set() -> None:
    meter = Checked()
    meter.say(5)
    for late in (0.9, -0.9, 1.5, -1.5):
        meter.monotonic += late
        assert meter.say() == []
    meter.now += 900
    meter.monotonic += 900
    assert meter.say() == []


def test_what_was_told_before_a_restart_is_over_after_it() -> None:
    meter = Checked()
    (begun,) = meter.say(5, power_l2=100.0)
    meter.consistency = Consistency(**meter.options, ongoing=(begun,))
    assert meter.say(10, power_l2=100.0) == []
    (ended,) = meter.say(5)
    assert ended.is_about(begun)
    assert (ended.time, ended.lasts) == (begun.time, False)


def test_a_phase_that_failed_before_a_restart_is_still_told_when_it_is_back() -> None:
    meter = Checked()
    meter.say(3)
    (begun,) = meter.say(5, voltage_l1=0.0)
    meter.consistency = Consistency(**meter.options, ongoing=(begun,))
    assert meter.say(5, voltage_l1=0.0) == []
    assert [incident.lasts for incident in meter.say(5)] == [False]


def compared(counted: float, integrated: float, until: int, **changes) -> OwnError:
    fields = {"uncertainty": 50.0, "compared": 3600.0, "flow": abs(integrated)} | changes
    return OwnError(until=until, length=HOUR, counted=counted, integrated=integrated, **fields)


def test_counters_that_say_something_else_than_the_power() -> None:
    meter = Checked()
    assert meter.consistency.judge(compared(1040.0, 1000.0, 300)) == ()
    (begun,) = meter.consistency.judge(compared(5000.0, 100.0, 600))
    assert (begun.reason, begun.unit) == (Reason.ENERGY_AGAINST_POWER, "Wh")
    assert (begun.time, begun.amount, begun.ended) == (600.0, 4900.0, None)
    assert meter.consistency.judge(compared(5000.0, 100.0, 600)) == ()
    told = [
        incident
        for until in range(900, 2400, 300)
        for incident in meter.consistency.judge(compared(1000.0, 1000.0, until))
    ]
    assert [(item.time, item.ended) for item in told] == [(600.0, 900.0)]


@pytest.mark.parametrize(
    "error",
    [
        compared(0.0, 30.0, 300, uncertainty=1.0),  # below the starting current
        compared(0.0, 500.0, 300, uncertainty=1000.0),  # a counter of whole kWh
        compared(1060.0, 1000.0, 300, uncertainty=1.0),  # class A twice
        compared(0.0, 0.0, 300, compared=0.0, uncertainty=0.0),
    ],
)
def test_what_cannot_be_told_apart_is_not_told(error) -> None:
    assert Checked().consistency.judge(error) == ()


keys = st.sampled_from(list(QUANTITIES))
numbers = st.floats() | st.floats(-1e4, 1e4) | st.just(230.0)


@given(st.lists(st.dictionaries(keys, numbers, max_size=12), max_size=40))
def test_whatever_a_meter_says_each_trouble_is_open_once(said) -> None:
    consistency = Consistency(phases=3, max_power=1e6)
    lasting: set[tuple[Reason, str]] = set()
    for second, values in enumerate(said):
        reading = Reading(time=T + second, values=values)
        for incident in consistency.observe(reading, monotonic=float(second)):
            key = (incident.reason, incident.quantity)
            if incident.lasts:
                assert key not in lasting
                lasting.add(key)
            elif incident.reason is not Reason.SPIKE:
                assert key in lasting
                lasting.remove(key)
            assert not math.isnan(incident.amount)
            assert incident.time <= reading.time
