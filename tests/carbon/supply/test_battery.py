"""The ledger of a battery: what goes in comes out, and no gram is lost or made."""

import json
import math

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.supply import battery as module
from custom_components.carbon_meter.carbon.supply.battery import Battery, Costing, Portion

BOTH = pytest.mark.parametrize("costing", Costing)


def new(costing: Costing = Costing.WEIGHTED_AVERAGE, **changes) -> Battery:
    return Battery(**{"charging": 0.95, "discharging": 0.95, "costing": costing, **changes})


def charge(
    battery: Battery,
    energy: float,
    intensity: float,
    grade: Grade = Grade.MEASURED,
    since: float | None = None,
) -> None:
    carbon = energy * intensity / 1000.0
    battery.charge([Portion(energy=energy, carbon=carbon, grade=grade, since=since)])


def balance(battery: Battery) -> float:
    """Return by how many grams the ledger does not close."""
    totals = battery.totals
    into = totals.charged_carbon + totals.opening_carbon
    return into - totals.discharged_carbon - battery.carbon - totals.written_off


def test_weighted_average() -> None:
    """Oracle: 4 kWh at 45, 2 kWh at 300, then 3 kWh out: 432.133 g = 144.044 g/kWh."""
    battery = new()

    charge(battery, 4000.0, 45.0)
    assert round(battery.stored, 9) == 3800.0
    assert round(battery.carbon, 9) == 180.0
    assert round(battery.carbon / battery.stored * 1000, 3) == 47.368
    charge(battery, 2000.0, 300.0)
    assert round(battery.stored, 9) == 5700.0
    assert round(battery.carbon, 9) == 780.0
    assert round(battery.carbon / battery.stored * 1000, 3) == 136.842
    drawn = battery.discharge(3000.0, fallback=0.0)

    assert round(drawn.carbon, 3) == 432.133
    assert round(drawn.carbon / 3.0, 3) == 144.044
    assert round(battery.stored / 1000, 6) == 2.542105
    assert round(battery.carbon, 3) == 347.867
    assert drawn.carbon + battery.carbon == pytest.approx(780.0, rel=1e-12)
    assert battery.intensity == pytest.approx(144.0443, rel=1e-6)


def test_first_in_first_out() -> None:
    """Oracle, FIFO: 149.584 g = 49.861 g/kWh, 630.416 g left."""
    battery = new(Costing.FIFO)

    charge(battery, 4000.0, 45.0, since=100.0)
    charge(battery, 2000.0, 300.0, since=200.0)
    drawn = battery.discharge(3000.0, fallback=0.0)

    assert round(drawn.carbon, 3) == 149.584
    assert round(drawn.carbon / 3.0, 3) == 49.861
    assert round(battery.carbon, 3) == 630.416
    assert drawn.carbon + battery.carbon == pytest.approx(780.0, rel=1e-12)
    assert [part.since for part in drawn.parts] == [100.0]
    assert [part.since for part in battery.content] == [100.0, 200.0]


def test_a_certificate_finds_the_hours_that_charged_it() -> None:
    battery = new(Costing.FIFO, charging=1.0, discharging=0.5)
    for hour, intensity in enumerate([10.0, 20.0, 30.0]):
        charge(battery, 1000.0, intensity, since=hour * 3600.0)

    drawn = battery.discharge(750.0, fallback=0.0)

    assert [(part.since, part.energy, part.carbon) for part in drawn.parts] == [
        (0.0, 500.0, 10.0),
        (3600.0, 250.0, 10.0),
    ]


@BOTH
def test_a_full_turn_gives_back_every_gram_and_leaves_nothing(costing) -> None:
    battery = new(costing)
    charge(battery, 1000.0, 100.0)
    charge(battery, 333.3, 700.0)

    drawn = battery.discharge(1333.3 * 0.95 * 0.95, fallback=0.0)

    assert drawn.carbon == pytest.approx(333.31, rel=1e-12)
    assert drawn.unbacked == 0.0
    assert (battery.stored, battery.carbon, battery.intensity) == (0.0, 0.0, None)


@BOTH
def test_what_was_in_it_before_the_ledger_is_not_clean(costing) -> None:
    """At the start, or with better efficiency than assumed, it gives more than it was seen to."""
    battery = new(costing)
    charge(battery, 1000.0, 100.0)

    drawn = battery.discharge(1902.5, fallback=400.0, grade=Grade.TYPICAL)

    assert drawn.unbacked == pytest.approx(1000.0)
    assert drawn.carbon == pytest.approx(500.0)
    assert battery.totals.opening_carbon == pytest.approx(400.0)
    assert battery.totals.unbacked == pytest.approx(1000.0)
    assert [part.grade for part in drawn.parts] == [Grade.MEASURED, Grade.TYPICAL]
    assert balance(battery) == pytest.approx(0.0, abs=1e-9)


@BOTH
def test_energy_that_fades_leaves_its_carbon_behind(costing) -> None:
    battery = new(costing, standby=10.0)
    charge(battery, 1000.0, 100.0)

    assert battery.idle(36_000.0) == 0.0

    assert battery.stored == pytest.approx(850.0)
    assert battery.carbon == pytest.approx(100.0)


@BOTH
def test_what_faded_away_altogether_is_written_off_and_told(costing) -> None:
    battery = new(costing, standby=10.0)
    charge(battery, 1000.0, 100.0)

    assert battery.idle(1e9) == pytest.approx(100.0)
    assert battery.idle(1e9) == 0.0

    assert (battery.stored, battery.carbon) == (0.0, 0.0)
    assert battery.totals.written_off == pytest.approx(100.0)


@BOTH
def test_more_than_fits_was_loss(costing) -> None:
    battery = new(costing, capacity=500.0)

    charge(battery, 1000.0, 100.0)

    assert battery.stored == pytest.approx(500.0)
    assert battery.carbon == pytest.approx(100.0)


@BOTH
def test_the_battery_knows_its_content_better(costing) -> None:
    battery = new(costing)
    charge(battery, 1000.0, 100.0)

    battery.settle(475.0, fallback=900.0)
    assert (battery.stored, battery.carbon) == (pytest.approx(475.0), pytest.approx(100.0))
    battery.settle(950.0, fallback=900.0)
    assert (battery.stored, battery.carbon) == (pytest.approx(950.0), pytest.approx(200.0))
    assert battery.settle(0.0, fallback=900.0) == pytest.approx(200.0)
    battery.settle(100.0, fallback=900.0)

    assert battery.carbon == pytest.approx(90.0)
    assert balance(battery) == pytest.approx(0.0, abs=1e-9)


def test_the_grade_of_what_goes_in_is_that_of_what_comes_out() -> None:
    battery = new(charging=1.0, discharging=1.0)
    charge(battery, 300.0, 100.0, Grade.MEASURED)
    charge(battery, 100.0, 500.0, Grade.FORECAST)

    drawn = battery.discharge(200.0, fallback=0.0)

    assert {part.grade: part.energy for part in drawn.parts} == {
        Grade.MEASURED: pytest.approx(150.0),
        Grade.FORECAST: pytest.approx(50.0),
    }


def test_layers_are_merged_before_they_are_too_many(monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    battery = new(Costing.FIFO, charging=1.0, discharging=1.0)
    for since, grade in enumerate([Grade.MEASURED, Grade.TYPICAL, Grade.MEASURED, Grade.MEASURED]):
        charge(battery, 10.0, 100.0 * since, grade, since=float(since))

    assert [(p.energy, p.carbon, p.grade, p.since) for p in battery.content] == [
        (20.0, 1.0, Grade.TYPICAL, 0.0),
        (10.0, 2.0, Grade.MEASURED, 2.0),
        (10.0, 3.0, Grade.MEASURED, 3.0),
    ]


@pytest.mark.parametrize(
    "parameters",
    [
        {"charging": 0.0},
        {"charging": 1.01},
        {"discharging": -0.5},
        {"discharging": math.nan},
        {"capacity": 0.0},
        {"capacity": -1.0},
        {"standby": -1.0},
        {"standby": None},
    ],
)
def test_parameters_that_no_battery_has_are_refused(parameters) -> None:
    with pytest.raises(ImpossibleAmountError):
        new(**parameters)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, "much", None])
def test_impossible_amounts_change_nothing(bad) -> None:
    battery = new()
    good = Portion(energy=5.0, carbon=1.0, grade=Grade.MEASURED)
    charge(battery, 1000.0, 100.0)
    before = json.dumps(battery.as_dict())

    for attempt in (
        lambda: battery.charge([good, Portion(energy=bad, carbon=1.0, grade=Grade.MEASURED)]),
        lambda: battery.charge([Portion(energy=1.0, carbon=bad, grade=Grade.MEASURED)]),
        lambda: battery.discharge(bad, fallback=0.0),
        lambda: battery.discharge(1.0, fallback=bad),
        lambda: battery.idle(bad),
        lambda: battery.settle(bad, fallback=0.0),
    ):
        with pytest.raises(ImpossibleAmountError):
            attempt()

    assert json.dumps(battery.as_dict()) == before


def test_carbon_does_not_come_without_energy() -> None:
    with pytest.raises(ImpossibleAmountError, match="without energy"):
        new().charge([Portion(energy=0.0, carbon=5.0, grade=Grade.MEASURED)])


def test_a_file_with_an_impossible_content_is_refused() -> None:
    battery = new()
    charge(battery, 1000.0, 100.0)
    stored = battery.as_dict()
    stored["content"][0][1] = -5.0

    with pytest.raises(ImpossibleAmountError, match="carbon"):
        new().restore(stored)


amounts = st.floats(0.0, 1e5)
actions = st.one_of(
    st.tuples(st.just("charge"), amounts, st.floats(0.0, 1500.0), st.sampled_from(Grade)),
    st.tuples(st.just("charge"), amounts, st.floats(0.0, 1500.0), st.sampled_from(Grade)),
    st.tuples(st.just("discharge"), amounts, st.floats(0.0, 1500.0)),
    st.tuples(st.just("discharge part"), st.floats(0.0, 1.0)),
    st.tuples(st.just("discharge part"), st.just(1.0)),
    st.tuples(st.just("idle"), st.floats(0.0, 1e7)),
    st.tuples(st.just("settle"), amounts, st.floats(0.0, 1500.0)),
    st.tuples(st.just("restart")),
)
efficiencies = st.floats(0.3, 1.0)


@settings(max_examples=300)
@given(
    st.lists(actions, max_size=60),
    st.sampled_from(Costing),
    efficiencies,
    efficiencies,
    st.none() | st.floats(10.0, 1e5),
    st.sampled_from([0.0, 5.0]),
)
def test_no_gram_is_lost_or_made_whatever_happens(
    history, costing, charging, discharging, capacity, standby
) -> None:
    """Charge, discharge beyond the content, standby, corrections, restarts."""
    parameters = {
        "charging": charging,
        "discharging": discharging,
        "costing": costing,
        "capacity": capacity,
        "standby": standby,
    }
    battery = Battery(**parameters)
    given_out = 0.0
    for number, (kind, *how) in enumerate(history):
        if kind == "charge":
            energy, intensity, grade = how
            charge(battery, energy, intensity, grade, since=float(number))
        elif kind == "discharge":
            drawn = battery.discharge(how[0], fallback=how[1])
            given_out += drawn.carbon
            assert all(part.energy > 0.0 and part.carbon >= 0.0 for part in drawn.parts)
            assert sum(part.energy for part in drawn.parts) == pytest.approx(
                drawn.energy, rel=1e-9, abs=1e-9
            )
        elif kind == "discharge part":
            before = battery.totals.unbacked
            drawn = battery.discharge(battery.stored * discharging * how[0], fallback=1e6)
            given_out += drawn.carbon
            assert battery.totals.unbacked == before
        elif kind == "idle":
            battery.idle(how[0])
        elif kind == "settle":
            battery.settle(how[0], fallback=how[1])
        else:
            battery = Battery(**parameters).restore(json.loads(json.dumps(battery.as_dict())))
        assert battery.stored >= 0.0
        assert battery.carbon >= 0.0
        if kind == "charge" and capacity is not None:
            assert battery.stored <= capacity * (1 + 1e-9)
    totals = battery.totals
    turned_over = totals.charged_carbon + totals.opening_carbon
    assert balance(battery) == pytest.approx(0.0, abs=1e-9 * turned_over)
    assert given_out == pytest.approx(totals.discharged_carbon, rel=1e-9)


@given(st.lists(st.tuples(amounts, st.floats(0.0, 1500.0)), min_size=1, max_size=20))
def test_both_ways_of_costing_give_the_same_in_the_end(charges) -> None:
    """They differ in which hour gets which gram, not in how many there are."""
    out = []
    for costing in Costing:
        battery = new(costing)
        for energy, intensity in charges:
            charge(battery, energy, intensity)
        half = battery.stored * 0.95 / 2.0
        carbon = battery.discharge(half, fallback=0.0).carbon
        carbon += battery.discharge(battery.stored * 0.95, fallback=0.0).carbon
        out.append(carbon)
        assert battery.stored == 0.0

    assert out[0] == pytest.approx(out[1], rel=1e-9, abs=1e-9)
