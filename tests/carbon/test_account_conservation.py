"""Whatever happens, in whatever order: the account books what was counted, once."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intensity.reported import ReportedSource
from custom_components.carbon_meter.carbon.intervals import HOUR, floor
from custom_components.carbon_meter.carbon.ledger import HourRow
from custom_components.carbon_meter.carbon.tally import Tally
from custom_components.carbon_meter.metering.readings import Fault, Reading
from tests.carbon.simulated import GRAMS, Meter, T


@st.composite
def powers(draw):
    """Return a load that is constant from reading to reading, and changes of the intensity."""
    steps = draw(
        st.lists(st.tuples(st.floats(1, 4000), st.floats(0, 20_000)), min_size=1, max_size=25)
    )
    changes = draw(
        st.lists(
            st.tuples(st.floats(0, 20_000), st.none() | st.floats(0, 1500)), min_size=1, max_size=12
        )
    )
    return steps, sorted(changes, key=lambda change: change[0])


@given(powers())
def test_grams_are_the_exact_integral_of_power_times_intensity(drawn) -> None:
    steps, changes = drawn
    meter = Meter()
    reported = ReportedSource("entity:co2", "CO2")
    meter.account.ladder = Ladder([reported, FixedSource(GRAMS)])
    for offset, value in changes:
        if value is None:
            reported.lost(T + offset)
        else:
            reported.report(T + offset, value, "g/kWh")
    reported.heard(T + 1e6)
    meter.read()
    grams, flowed = Fraction(0), Fraction(0)
    edges = [Fraction(T + offset) for offset, _ in changes] + [Fraction(T + 10_000_000)]
    for seconds, watts in steps:
        begin, counted = Fraction(meter.now), Fraction(meter.imported)
        meter.flow(seconds, watts)
        assert meter.read() == []
        end, energy = Fraction(meter.now), Fraction(meter.imported) - counted
        flowed += energy
        known = Fraction(GRAMS)
        position = begin
        for index, edge in enumerate(edges):
            stop = min(max(edge, position), end)
            grams += energy * (stop - position) / (end - begin) / 1000 * known
            position = stop
            if index < len(changes):
                value = changes[index][1]
                known = Fraction(GRAMS if value is None else value)

    assert meter.total.import_energy == pytest.approx(float(flowed), rel=1e-9, abs=1e-9)
    assert meter.total.carbon == pytest.approx(float(grams), rel=1e-6, abs=1e-6)


actions = st.one_of(
    st.tuples(st.just("read"), st.floats(0.5, 30), st.floats(-9000, 9000)),
    st.tuples(st.just("read"), st.floats(0.5, 30), st.floats(-9000, 9000)),
    st.tuples(st.just("gap"), st.floats(30, 200_000), st.floats(-9000, 9000)),
    st.tuples(st.just("frozen"), st.floats(0.5, 900), st.floats(-9000, 9000)),
    st.tuples(st.just("no import"), st.floats(0.5, 900), st.floats(-9000, 9000)),
    st.tuples(st.just("no export"), st.floats(0.5, 900), st.floats(-9000, 9000)),
    st.tuples(st.just("nothing"), st.floats(0.5, 900), st.floats(-9000, 9000)),
    st.tuples(st.just("spike"), st.floats(0.5, 30), st.floats(-9000, 9000)),
    st.tuples(st.just("nonsense"), st.floats(0.5, 30), st.floats(-9000, 9000)),
    st.tuples(st.just("clock"), st.sampled_from([-1e8, -1e5, -4000, -3, 2, 4000, 1e5, 1e8])),
    st.tuples(st.just("restart")),
    st.tuples(st.just("publish")),
)


def act(meter: Meter, action: tuple, last: Reading) -> Reading:
    """Do one thing to the meter; return what it says since."""
    kind, *how = action
    if kind == "clock":
        # Over a leap of the clock nothing is too much: what comes right then has to be true.
        meter.now += how[0]
        reading = meter.reading()
        meter.account.observe(reading)
        return reading
    if kind in ("restart", "publish"):
        if kind == "restart":
            meter.restart()
        else:
            rows = meter.account.ledger.unpublished(meter.account.booked_until or 0)
            meter.account.ledger.published(rows)
        return last
    meter.flow(*how)
    if kind == "frozen":
        meter.repeat(last)
        return last
    without = {
        "no import": ("energy_import",),
        "no export": ("energy_export",),
        "nothing": ("energy_import", "energy_export"),
    }.get(kind, ())
    reading = meter.reading(without=without)
    if kind == "spike":
        reading = meter.reading(energy_import=8e11, energy_export=8e11)
    if kind == "nonsense":
        fault = Fault(quantity=f"x{meter.now}", register="input 0x0000", reason="garbage")
        values = {**reading.values, "energy_import": 8e11}
        reading = Reading(time=meter.now, values=values, faults=(fault,))
    meter.account.observe(reading)
    return reading


@settings(max_examples=120)
@given(st.lists(actions, max_size=40))
def test_what_the_counters_have_counted_is_booked_once(history) -> None:
    """Whatever happens in between: the booked energy is the difference of the counters."""
    meter = Meter(max_power=1e12 / 1e3)
    start = (meter.imported, meter.exported)
    last = meter.reading()
    meter.account.observe(last)
    spikes = 0
    for action in history:
        if action[0] == "spike":
            spikes += 1
        elif action[0] not in ("restart", "publish", "frozen"):
            spikes = 0
        if action[0] == "spike" and spikes > 2:
            continue  # three in a row are what a counter really says
        last = act(meter, action, last)
    for _ in range(3):
        meter.flow(10, 500.0)
        meter.read()

    total = meter.total
    assert total.import_energy == pytest.approx(meter.imported - start[0], rel=1e-9, abs=1e-6)
    assert total.export_energy == pytest.approx(meter.exported - start[1], rel=1e-9, abs=1e-6)
    assert total.carbon == pytest.approx(total.import_energy / 1000 * GRAMS, rel=1e-9)
    assert sum(total.by_grade.values()) == pytest.approx(total.import_energy, rel=1e-9)
    assert total.estimated_energy <= (total.import_energy + total.export_energy) * (1 + 1e-9)
    ledger = meter.account.ledger
    hours = Tally()
    hours.add(ledger._folded)
    for tally in ledger.hours.values():
        hours.add(tally)
        assert min(tally.import_energy, tally.export_energy, tally.carbon) >= 0
    assert hours.import_energy == pytest.approx(total.import_energy, rel=1e-9)
    assert hours.carbon == pytest.approx(total.carbon, rel=1e-9)


class Recorder:
    """The record, keyed by the start of the hour as Home Assistant's statistics are."""

    def __init__(self) -> None:
        self.rows: dict[int, HourRow] = {}

    def publish(self, meter: Meter) -> list[HourRow]:
        rows = meter.account.ledger.unpublished(min(meter.account.booked_until, meter.now))
        self.rows |= {row.start: row for row in rows}
        return rows


crashes = st.sampled_from(
    ["poll", "poll", "poll", "poll", "outage", "save", "publish", "publish and crash", "crash"]
)


@settings(max_examples=120)
@given(st.lists(st.tuples(crashes, st.integers(1, 40), st.floats(0, 5000)), max_size=30))
def test_no_crash_loses_or_doubles_an_hour_of_the_record(history) -> None:
    """Home Assistant dies before or after anything; what it stored last is what it knows."""
    meter, recorder = Meter(poll=300.0), Recorder()
    meter.read()
    stored = meter.stored()
    for kind, count, watts in history:
        if kind == "poll":
            for _ in range(count):
                meter.flow(300, watts)
                meter.read()
        elif kind == "outage":
            meter.flow(300 * count, watts)
        elif kind == "save":
            stored = meter.stored()
        elif kind == "publish":
            stored = meter.stored()
            rows = recorder.publish(meter)
            meter.account.ledger.published(rows)
        else:
            if kind == "publish and crash":
                recorder.publish(meter)
            meter.flow(60 * count, watts)
            meter.restart(stored)
            meter.account.ledger.publish_again()
            meter.read()
    meter.flow(2 * HOUR, 1000.0)
    meter.read()
    recorder.publish(meter)

    rows = [recorder.rows[start] for start in sorted(recorder.rows)]
    assert rows[-1].start == floor(meter.now, HOUR) - HOUR
    open_hour = meter.account.ledger.hours.get(floor(meter.now, HOUR), Tally())
    known = rows[-1].total.import_energy + open_hour.import_energy
    assert known == pytest.approx(meter.imported - 5_000_000.0, rel=1e-9)
    assert sum(row.hour.import_energy for row in rows) == pytest.approx(
        rows[-1].total.import_energy, rel=1e-9
    )
    for before, after in pairwise(rows):
        rise = after.total.import_energy - before.total.import_energy
        assert rise == pytest.approx(after.hour.import_energy, rel=1e-9, abs=1e-6)
        assert after.start - before.start == HOUR
        assert after.hour.measured_time + after.hour.estimated_time == pytest.approx(HOUR)
