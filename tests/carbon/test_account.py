"""From readings to booked intervals, through every disturbance."""

import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intervals import HOUR, INTERVAL
from custom_components.carbon_meter.carbon.tally import Tally
from custom_components.carbon_meter.metering.readings import Fault, Reading
from tests.carbon.simulated import DAY, GRAMS, Meter, T


def test_the_first_reading_is_the_baseline() -> None:
    meter = Meter()
    assert meter.account.booked_until is None
    meter.read()

    assert meter.total == Tally()
    assert meter.account.booked_until == T


def test_an_hour_of_a_known_load() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(HOUR, 3600.0)

    assert meter.total.import_energy == pytest.approx(3600.0)
    assert meter.total.carbon == pytest.approx(3.6 * GRAMS)
    assert meter.total.measured_time == pytest.approx(HOUR)
    assert (meter.total.estimated_energy, meter.total.estimated_time) == (0.0, 0.0)
    energies = [tally.import_energy for tally in meter.intervals.values()]
    assert energies == pytest.approx([300.0] * 12)
    assert meter.total.grade is Grade.YEARLY


def test_export_is_counted_and_carries_no_carbon() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(600, -1800.0)

    assert meter.total.export_energy == pytest.approx(300.0)
    assert (meter.total.import_energy, meter.total.carbon) == (0.0, 0.0)


def test_a_meter_of_a_generator_is_not_weighed() -> None:
    meter = Meter(weighed=False)
    meter.read()
    meter.poll_for(600, 1800.0)

    assert meter.total.import_energy == pytest.approx(300.0)
    assert (meter.total.carbon, meter.total.by_grade) == (0.0, {})


@pytest.mark.parametrize("stop", ["killed", "unreachable", "killed twice"])
def test_twenty_minutes_without_a_reading_during_a_known_load(stop) -> None:
    """The kWh booked are the counter's difference; the gap is spread and marked."""
    meter = Meter()
    meter.read()
    meter.poll_for(600, 3000.0)
    before = meter.stored()
    meter.flow(1200, 3000.0)
    if stop != "unreachable":
        meter.restart(before)
    if stop == "killed twice":
        meter.restart()
    meter.read()
    meter.restart()
    meter.poll_for(600, 3000.0)

    assert meter.total.import_energy == pytest.approx(2000.0, abs=1e-6)
    assert meter.total.estimated_energy == pytest.approx(1000.0, abs=1e-6)
    assert meter.total.carbon == pytest.approx(2.0 * GRAMS, rel=1e-9)
    for start in range(T, T + 2400, INTERVAL):
        tally, in_gap = meter.intervals[start], T + 600 <= start < T + 1800
        assert tally.import_energy == pytest.approx(250.0, abs=1e-6)
        assert tally.estimated_energy == pytest.approx(250.0 if in_gap else 0.0, abs=1e-6)
        assert tally.estimated_time == pytest.approx(300.0 if in_gap else 0.0, abs=1e-3)
        assert tally.measured_time == pytest.approx(0.0 if in_gap else 300.0, abs=1e-3)


def test_a_frozen_meter_is_a_gap_until_it_speaks_again() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(600, 3000.0)
    frozen = meter.reading()
    meter.account.observe(frozen)
    for _ in range(120):
        meter.flow(10, 3000.0)
        meter.repeat(frozen)
    assert meter.account.frozen_for == pytest.approx(1200)
    assert meter.account.booked_until == T + 600
    meter.flow(10, 3000.0)
    meter.read()
    assert meter.account.frozen_for == 0.0

    assert meter.total.import_energy == pytest.approx(3000 * 1810 / 3600)
    assert meter.total.estimated_energy == pytest.approx(3000 * 1210 / 3600)
    assert meter.intervals[T + 1200].import_energy == pytest.approx(250.0)


def test_a_meter_that_repeats_itself_for_a_moment_has_not_frozen() -> None:
    meter = Meter()
    meter.read()
    steady = meter.reading()
    meter.account.observe(steady)
    for _ in range(29):
        meter.flow(10, 0.0)
        meter.repeat(steady)
    assert meter.account.frozen_for == 0.0
    meter.flow(9, 400.0)
    meter.read()

    assert meter.total.import_energy == pytest.approx(1.0)
    assert (meter.total.estimated_energy, meter.total.estimated_time) == (0.0, 0.0)


def test_a_meter_at_rest_may_say_the_same_all_night() -> None:
    meter = Meter()
    for _ in range(200):
        meter.account.observe(meter.reading(voltage=0.0))
        meter.flow(10, 0.0)

    assert meter.account.frozen_for == 0.0
    assert meter.total.measured_time == pytest.approx(1990)


@pytest.mark.parametrize("poll", [300.0, 600.0, 3600.0])
def test_a_slow_poll_is_no_gap(poll) -> None:
    meter = Meter(poll=poll)
    meter.read()
    meter.poll_for(6 * poll, 1000.0)

    assert meter.total.estimated_energy == 0.0
    assert meter.total.measured_time == pytest.approx(6 * poll)
    meter.flow(3 * poll, 1000.0)
    meter.read()
    assert meter.total.estimated_time == pytest.approx(3 * poll)


def test_a_reset_loses_only_what_nobody_saw() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(600, 3600.0)
    meter.imported = 0.0
    events = []
    for _ in range(60):
        meter.flow(10, 3600.0)
        events += meter.read()

    assert events == ["energy_import reset"]
    assert meter.total.import_energy == pytest.approx(600 + 600)
    assert [item.reason.value for item in meter.account.incidents] == ["reset"]
    assert meter.account.booked_until == meter.now


def test_a_gap_that_ends_with_a_slip_is_a_gap_over_a_restart_too() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.flow(1200, 3600.0)
    meter.read(energy_import=9e9, energy_export=9e9)
    meter.restart()
    meter.flow(10, 3600.0)
    meter.read()

    assert meter.total.estimated_energy == pytest.approx(1210.0)
    assert meter.total.estimated_time == pytest.approx(1210.0)


@pytest.mark.parametrize("how", ["unread", "frozen", "missing"])
def test_a_new_level_is_confirmed_by_what_can_have_flowed_since_it_was_seen(how) -> None:
    """An hour may pass between the readings that agree on it."""
    meter = Meter(max_power=20_000.0)
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.imported = 0.0
    events = []
    for _ in range(3):
        meter.flow(HOUR, 9000.0)
        reading = meter.reading()
        events += [item.reason.value for item in meter.account.observe(reading)]
        if how == "frozen":
            meter.flow(HOUR, 9000.0)
            meter.repeat(reading)
        elif how == "missing":
            meter.flow(10, 9000.0)
            meter.read(without=("energy_export",))

    assert "reset" in events
    assert meter.account.booked_until is not None


def test_a_jump_and_a_spike_are_set_apart_and_told() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.flow(10, 3600.0)
    assert meter.read(energy_import=9e9) == []
    meter.flow(10, 3600.0)
    assert meter.read() == ["energy_import spike"]
    meter.imported += 5e6
    events = []
    for _ in range(5):
        meter.flow(10, 3600.0)
        events += meter.read()

    assert events == ["energy_import jump"]
    assert meter.account.incidents[-1].set_apart == pytest.approx(5e6 + 10)
    # Of the ten seconds in which it jumped the counter tells nothing.
    assert meter.total.import_energy == pytest.approx(60 + 20 + 40)
    meter.restart()
    assert [item.reason.value for item in meter.account.incidents] == ["spike", "jump"]


def test_a_replaced_meter_books_no_difference() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.imported = 900_000.0
    meter.exported = 800_000_000.0
    for _ in range(4):
        meter.flow(10, 3600.0)
        meter.read()

    assert meter.total.import_energy == pytest.approx(60 + 30)
    assert meter.total.export_energy == 0.0


@pytest.mark.parametrize("step", [1000.0, 100.0, 10.0])
@pytest.mark.parametrize("poll", [1.0, 10.0])
def test_a_counter_that_moves_in_coarse_steps(step, poll) -> None:
    """A step of a kilowatt-hour within a second is no jump where the counter shows no more."""
    meter = Meter(poll=poll, max_power=30_000.0)
    meter.read(energy_import=meter.imported // step * step)
    for _ in range(1500):
        meter.flow(poll, 9000.0)
        assert meter.read(energy_import=meter.imported // step * step) == []

    assert meter.total.import_energy == meter.imported // step * step - 5_000_000.0
    assert not meter.account.incidents


def test_a_plant_beyond_what_its_family_of_meters_mostly_sees_is_booked() -> None:
    meter = Meter()
    meter.read(power=2.4e6)
    for step in range(60):
        meter.flow(10, 2.5e6 + 1e4 * (step % 3))
        meter.read(power=2.5e6 + 1e4 * (step % 3))

    assert meter.total.import_energy == pytest.approx(meter.imported - 5_000_000.0)
    assert not meter.account.incidents


def test_a_slip_of_power_and_counter_at_once_is_a_slip() -> None:
    meter = Meter()
    meter.read(power=3600.0)
    meter.flow(10, 3600.0)
    meter.read(power=9e8, energy_import=meter.imported + 1e6)
    meter.flow(10, 3600.0)
    meter.read(power=3600.0)

    assert meter.total.import_energy == pytest.approx(20.0)


def test_a_register_that_is_always_impossible_does_not_stop_the_others() -> None:
    fault = Fault(quantity="power_factor", register="input 0x003E", reason="implausible value")
    meter = Meter()
    for _ in range(61):
        reading = meter.reading()
        meter.account.observe(Reading(time=reading.time, values=reading.values, faults=(fault,)))
        meter.flow(10, 3600.0)
    meter.imported = 0.0
    for _ in range(5):
        reading = meter.reading()
        meter.account.observe(Reading(time=reading.time, values=reading.values, faults=(fault,)))
        meter.flow(10, 3600.0)

    # From its second reading on, and through a reset.
    assert meter.total.import_energy == pytest.approx(590 + 40)


def test_a_reading_that_turns_impossible_confirms_nothing() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    for step in range(10):
        meter.flow(10, 3600.0)
        fault = Fault(quantity=f"voltage_l{step}", register="input 0x0000", reason="garbage")
        garbage = {"energy_import": 4e9, "voltage": 230.0 + step}
        meter.account.observe(Reading(time=meter.now, values=garbage, faults=(fault,)))
    meter.flow(10, 3600.0)
    meter.read()

    assert meter.total.import_energy == pytest.approx(60 + 110)
    assert not meter.account.incidents


def test_a_counter_that_is_missing_for_a_while_is_booked_as_estimated() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(300, 3600.0)
    for _ in range(60):
        meter.flow(10, 3600.0)
        meter.read(without=("energy_import",))
    assert meter.account.booked_until == T + 300
    meter.restart()
    meter.poll_for(300, 3600.0)

    assert meter.total.import_energy == pytest.approx(1200.0)
    assert meter.total.estimated_energy == pytest.approx(610.0)
    assert meter.intervals[T + 600].import_energy == pytest.approx(300.0)
    assert meter.total.measured_time == pytest.approx(300 + 290)
    assert meter.total.estimated_time == pytest.approx(610)


def test_a_reading_without_any_counter_accounts_for_no_time() -> None:
    meter = Meter()
    for _ in range(10):
        meter.flow(10, 100.0)
        meter.read(without=("energy_import", "energy_export"))

    assert meter.total == Tally()
    assert meter.account.booked_until is None


def test_a_meter_without_an_export_counter_is_whole() -> None:
    meter = Meter()
    for _ in range(61):
        meter.read(without=("energy_export",))
        meter.flow(10, 360.0)

    assert meter.total.measured_time == pytest.approx(600)
    assert meter.account.booked_until == T + 600


@pytest.mark.parametrize("how", ["missing", "garbage"])
def test_a_counter_that_has_gone_holds_the_record_back_for_a_day_only(how) -> None:
    meter = Meter(poll=600.0)
    meter.read()
    meter.poll_for(6000, 100.0)
    for step in range(1, 300):
        meter.flow(600, 100.0)
        if how == "missing":
            meter.read(without=("energy_export",))
        else:
            meter.read(energy_export=1e11 * (2 + step % 5) + 1e9 * (step % 7))
        if step * 600 < DAY - 600:
            assert meter.account.booked_until == T + 6000
        elif step * 600 > DAY + 600:
            assert meter.account.booked_until == meter.now
    assert meter.total.import_energy == pytest.approx((6000 + 299 * 600) / 36)
    assert meter.total.measured_time + meter.total.estimated_time == pytest.approx(6000 + 299 * 600)


def test_counters_that_change_their_meaning_start_anew() -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(60, 3600.0)
    meter.account.start_counters_anew()
    meter.imported, meter.exported = meter.exported, meter.imported
    meter.poll_for(70, 3600.0)

    assert meter.total.import_energy == pytest.approx(60 + 60)
    assert meter.total.export_energy == 0.0
    assert not meter.account.incidents


@pytest.mark.parametrize("shift", [-5.0, -3600.0, -30 * DAY, -3650 * DAY, 5.0, 3600.0, 3650 * DAY])
def test_a_clock_that_is_set_loses_and_doubles_nothing(shift) -> None:
    meter = Meter()
    meter.read()
    meter.poll_for(600, 3600.0)
    meter.now += shift
    for _ in range(60):
        meter.flow(10, 3600.0)
        meter.read()
    meter.now -= shift
    for _ in range(60):
        meter.flow(10, 3600.0)
        meter.read()

    assert meter.total.import_energy == pytest.approx(1800.0)
    assert meter.total.carbon == pytest.approx(1.8 * GRAMS)
    assert not meter.account.incidents


def test_energy_of_an_outage_with_a_wrong_clock_is_still_believed() -> None:
    """Set back while nobody was there: how long it really was is not known."""
    meter = Meter(max_power=20_000.0)
    meter.read()
    meter.flow(2 * HOUR, 3000.0)
    meter.now -= 3 * HOUR
    assert meter.read() == []

    assert meter.total.import_energy == pytest.approx(6000.0)
    assert meter.total.estimated_energy == pytest.approx(6000.0)


def test_a_gap_of_decades_asks_for_a_year_of_intensities() -> None:
    asked = []

    class Counting(FixedSource):
        def intervals(self, start: float, end: float):
            asked.append(end - start)
            return super().intervals(start, end)

    meter = Meter()
    meter.account.ladder = Ladder([Counting(GRAMS)])
    for clock in (1000.0, float(T), 2000.0):
        meter.now = clock
        meter.flow(10, 3600.0)
        meter.read()

    assert meter.total.import_energy == pytest.approx(20.0)
    assert meter.total.carbon == pytest.approx(0.02 * GRAMS)
    assert max(asked) <= 366 * DAY


def test_a_slow_line_is_no_gap_for_ever() -> None:
    """A meter asked every 7 s instead of every 2 s loses nothing that had to be estimated."""
    meter = Meter(poll=2.0)
    meter.read()
    for _ in range(100):
        meter.flow(7, 360.0)
        meter.read()
    assert meter.total.estimated_time <= 5 * 7
    meter.flow(600, 360.0)
    meter.read()
    assert meter.total.estimated_time >= 600
