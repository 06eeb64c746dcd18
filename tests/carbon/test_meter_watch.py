"""What is made of the readings of one meter, together: booked, shown, told, and kept."""

from collections.abc import Callable
from dataclasses import replace
import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.meter_watch import MeterWatch, Watched
from custom_components.carbon_meter.metering.incidents import Reason
from custom_components.carbon_meter.metering.readings import Fault, Reading
from custom_components.carbon_meter.metering.rolling import DAY, HOUR
from tests.carbon.simulated import T, profile

PROFILE = replace(profile(), quantities=("voltage", "power", "energy_import", "energy_export"))
LADDER = Ladder([FixedSource(400.0)])


class Meter:
    """A meter that counts what flows, watched second by second."""

    def __init__(self, *, poll: float = 1.0, write: float = 10.0) -> None:
        self.poll, self.write = poll, write
        self.time, self.energy, self.ticks = float(T), 5e6, 0
        self.watch = self.made(None)

    def made(self, stored: str | None) -> MeterWatch:
        return MeterWatch(
            PROFILE,
            LADDER,
            poll_interval=self.poll,
            write_interval=self.write,
            stored=None if stored is None else json.loads(stored),
        )

    def reading(self, power: float, **more: float) -> Reading:
        self.ticks += 1
        values = {
            "voltage": 230.0 + self.ticks % 7 / 10,
            "power": power,
            "energy_import": self.energy,
            "energy_export": 0.0,
        }
        return Reading(time=self.time, values=values | more)

    def run(
        self, seconds: float, power: float | Callable[[float], float], **more: float
    ) -> list[Watched]:
        """Let a power flow for some seconds; return what each reading brought."""
        brought = []
        for _ in range(round(seconds / self.poll)):
            now = power(self.time - T) if callable(power) else power
            self.time += self.poll
            self.energy += now * self.poll / 3600
            brought.append(self.watch.observe(self.reading(now, **more), monotonic=self.time))
        return brought

    def restart(self) -> None:
        """Go on with what was stored."""
        self.watch = self.made(json.dumps(self.watch.as_dict()))


def test_everything_is_booked_and_little_is_shown() -> None:
    meter = Meter()
    brought = meter.run(600, 3600.0)
    assert meter.watch.account.ledger.total.import_energy == pytest.approx(599, abs=1)
    assert sum(one.due for one in brought) == pytest.approx(60, abs=1)
    window = meter.watch.window
    assert window is not None
    power = window.quantities["power"]
    assert (power.mean, power.minimum, power.maximum) == (3600.0, 3600.0, 3600.0)
    assert power.samples == 10
    assert "energy_import" not in window.quantities


def test_window_is_what_lay_between_two_that_were_shown() -> None:
    meter = Meter(write=60.0)
    meter.run(60, 500.0)
    seen: list[float] = []
    maxima: list[float] = []
    for second in range(240):
        power = 500.0 + (second * 7) % 40
        seen.append(power)
        (one,) = meter.run(1, power)
        if one.due:
            assert meter.watch.window is not None
            maxima.append(meter.watch.window.quantities["power"].maximum)
            assert maxima[-1] == max(seen)
            seen = [power]
    assert len(maxima) == 4


@pytest.mark.parametrize(("poll", "seen"), [(1.0, True), (10.0, True), (60.0, False)])
def test_steps_are_seen_where_it_is_read_often_enough(poll: float, *, seen: bool) -> None:
    meter = Meter(poll=poll)
    brought = meter.run(20 * poll, 300.0) + meter.run(20 * poll, 2300.0)
    steps = [one.step for one in brought if one.step is not None]
    assert bool(steps) is seen
    if seen:
        assert steps[0].size == pytest.approx(2000, rel=0.05)


def test_incident_is_shown_at_once() -> None:
    meter = Meter(write=900.0)
    meter.run(60, 3600.0)
    meter.energy += 5e6
    brought = meter.run(60, 3600.0)
    told = [one for one in brought if one.incidents]
    assert [one.incidents[0].reason for one in told] == [Reason.JUMP]
    assert all(one.due for one in told)


def test_fault_and_loss_of_a_quantity_are_shown_at_once() -> None:
    meter = Meter(write=900.0)
    meter.run(60, 3600.0)
    assert not meter.run(1, 3600.0)[0].due
    meter.time += 1
    reading = meter.reading(3600.0)
    fault = Fault(quantity="voltage", register="input 0x0000", reason="nonsense")
    kept = {key: value for key, value in reading.values.items() if key != "voltage"}
    broken = replace(reading, values=kept, faults=(fault,))
    assert meter.watch.observe(broken, monotonic=meter.time).due


def test_clock_is_judged_by_one_that_nobody_sets() -> None:
    meter = Meter()
    meter.run(60, 3600.0)
    meter.time += 1
    late = replace(meter.reading(3600.0), time=meter.time + 3600)
    told = meter.watch.observe(late, monotonic=meter.time).incidents
    assert [incident.reason for incident in told] == [Reason.CLOCK]
    assert told[0].amount == pytest.approx(3600)


def test_counter_is_held_against_the_power_every_five_minutes() -> None:
    meter = Meter(poll=10.0)
    brought = meter.run(4000, 3600.0)
    assert not [one for one in brought if one.incidents]
    error = meter.watch.own_error(HOUR)
    assert error is not None
    assert error.percent == pytest.approx(0, abs=0.1)
    assert meter.watch.own_error(HOUR) is error
    # The counter stands still while the power flows.
    kept, before = meter.energy, len(meter.watch.account.incidents)
    told = []
    for _ in range(120):
        meter.energy = kept
        (one,) = meter.run(10, 3600.0)
        told += one.incidents
    reasons = {incident.reason for incident in told}
    assert Reason.ENERGY_AGAINST_POWER in reasons
    assert len(meter.watch.account.incidents) > before


def test_own_error_is_none_without_a_reading() -> None:
    assert Meter().watch.own_error(DAY) is None


def test_incident_that_lasts_goes_on_after_a_restart_and_is_told_once() -> None:
    meter = Meter(poll=10.0)
    meter.run(60, 3600.0)
    begun = [incident for one in meter.run(60, 3600.0, voltage=60.0) for incident in one.incidents]
    assert [incident.reason for incident in begun if incident.lasts] == [Reason.VOLTAGE]
    meter.restart()
    assert [one.reason for one in meter.watch.account.ongoing] == [Reason.VOLTAGE]
    assert not [one for one in meter.run(60, 3600.0, voltage=60.0) if one.incidents]
    ended = [incident for one in meter.run(60, 3600.0) for incident in one.incidents]
    assert [(one.reason, one.lasts) for one in ended] == [(Reason.VOLTAGE, False)]
    assert meter.watch.account.ongoing == ()


@settings(max_examples=25, deadline=None)
@given(
    powers=st.lists(st.floats(0, 9000), min_size=5, max_size=60),
    restarts=st.sets(st.integers(0, 59), max_size=4),
)
def test_restart_at_any_moment_changes_nothing(powers: list[float], restarts: set[int]) -> None:
    steady, stopped = Meter(poll=60.0), Meter(poll=60.0)
    for number, power in enumerate(powers):
        steady.run(60, power)
        stopped.run(60, power)
        if number in restarts:
            stopped.restart()
    first, second = (json.loads(json.dumps(one.watch.as_dict())) for one in (steady, stopped))
    assert second["ledger"] == first["ledger"]
    assert second["power"] == first["power"]
    assert second["audit"] == first["audit"]
    assert steady.watch.own_error(HOUR) == stopped.watch.own_error(HOUR)


def test_file_of_an_older_version_is_taken() -> None:
    meter = Meter(poll=10.0)
    meter.run(600, 3600.0)
    stored = meter.watch.as_dict()
    del stored["audit"], stored["power"]
    again = meter.made(json.dumps(stored))
    assert again.account.ledger.total == meter.watch.account.ledger.total
    assert again.own_error(HOUR) is None
    assert again.power.rows(meter.time + 7200) == []
