"""What a run has saved, by what came true, at equal energy."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.accounting.figures import (
    Account,
    BlendedFiguresError,
    Figure,
    Label,
)
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval, IntensityKind
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import Piece, Plan
from custom_components.carbon_meter.planning.realised import (
    PriceInterval,
    Saving,
    realised_saving,
    with_energy,
)
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import HOUR, START, hourly


def hours(values: list[float | None]) -> list[IntensityInterval]:
    """Return what came true, hour by hour, with holes."""
    return [
        IntensityInterval(
            start=START + place * HOUR,
            end=START + (place + 1) * HOUR,
            value=value,
            grade=Grade.MEASURED,
            source="test",
        )
        for place, value in enumerate(values)
        if value is not None
    ]


def two_hours_late() -> Plan:
    """Return a plan that moves one hour of 2 kW by two hours."""
    plan = plan_block(
        hourly([400, 300, 100, 200]),
        Objective.carbon(),
        Profile.flat(2000.0, HOUR),
        Window(start=START, end=START + 4 * HOUR),
    )
    assert plan.start == START + 2 * HOUR
    return plan


def test_a_saving_is_by_what_came_true() -> None:
    """Planned were 600 g; 380 less 120 by 2 kWh came true."""
    plan = two_hours_late()

    saving = realised_saving("Dishwasher", plan, plan.pieces, hours([380.0, 300.0, 120.0, 200.0]))

    assert saving is not None
    assert saving.carbon.value == pytest.approx(2.0 * (380 - 120))
    assert saving.planned == pytest.approx(2.0 * (400 - 100))
    assert saving.energy == pytest.approx(2000.0)
    assert saving.coverage == 1.0
    assert saving.cost is None


def test_a_wrong_forecast_is_admitted() -> None:
    """It can have made things worse."""
    plan = two_hours_late()

    saving = realised_saving("Dishwasher", plan, plan.pieces, hours([100.0, 100.0, 400.0, 100.0]))

    assert saving is not None
    assert saving.carbon.value == pytest.approx(-600.0)


@given(power=st.floats(10.0, 5000.0), seconds=st.floats(60.0, 3 * HOUR))
def test_the_counterfactual_takes_as_much_energy(power: float, seconds: float) -> None:
    """A run that took more or less than planned is compared with as much at once."""
    plan = two_hours_late()
    taken = [Piece(START + 2 * HOUR, START + 2 * HOUR + seconds, power)]
    energy = power * seconds / 3600.0

    without = with_energy(plan.baseline_pieces, energy)
    saving = realised_saving("Dishwasher", plan, taken, hours([250.0] * 40))

    assert sum(piece.energy for piece in without) == pytest.approx(energy)
    assert without[0].start == START
    assert saving is not None
    assert saving.carbon.value == pytest.approx(0.0, abs=1e-6 * energy)


def test_a_counterfactual_is_cut_or_goes_on() -> None:
    """Its pauses stay where they were."""
    pieces = (Piece(0.0, 3600.0, 1000.0), Piece(7200.0, 10_800.0, 500.0))

    assert with_energy(pieces, 500.0) == (Piece(0.0, 1800.0, 1000.0),)
    assert with_energy(pieces, 2000.0)[-1] == Piece(10_800.0, 12_600.0, 1000.0)


def test_time_without_an_intensity_is_in_no_sum_and_told() -> None:
    """Half of what both take is known."""
    plan = two_hours_late()

    saving = realised_saving("Dishwasher", plan, plan.pieces, hours([380.0, 300.0, None, 200.0]))

    assert saving is not None
    assert saving.coverage == pytest.approx(0.5)
    assert saving.carbon.value == pytest.approx(760.0)


def test_prices_count_where_they_are_known() -> None:
    """A price for each hour gives a cost; one that is missing gives none."""
    plan = two_hours_late()
    prices = [
        PriceInterval(start=START + place * HOUR, end=START + (place + 1) * HOUR, value=value)
        for place, value in enumerate([0.4, 0.3, 0.1, 0.2])
    ]

    known = realised_saving("Dishwasher", plan, plan.pieces, hours([1.0] * 4), prices=prices)
    part = realised_saving("Dishwasher", plan, plan.pieces, hours([1.0] * 4), prices=prices[:1])

    assert known is not None
    assert part is not None
    assert known.cost == pytest.approx(2.0 * 0.3)
    assert part.cost is None


def test_a_saving_is_in_no_inventory() -> None:
    """Its figure refuses to be added to one."""
    plan = two_hours_late()
    saving = realised_saving("Dishwasher", plan, plan.pieces, hours([1.0] * 4))
    inventory = Figure(label=Label(account=Account.LOCATION_BASED), value=1.0)

    assert saving is not None
    assert saving.carbon.label.account is Account.AVOIDED
    with pytest.raises(BlendedFiguresError):
        _ = saving.carbon + inventory


def test_nothing_taken_is_no_saving() -> None:
    """A run that did not happen saved nothing."""
    assert realised_saving("Dishwasher", two_hours_late(), (), hours([1.0] * 4)) is None


def test_a_saving_survives_a_file() -> None:
    """What is kept is what was found, and rubbish is refused."""
    plan = two_hours_late()
    saving = realised_saving(
        "Dishwasher", plan, plan.pieces, hours([3.0, 2.0, 1.0, 2.0]), kind=IntensityKind.MARGINAL
    )
    assert saving is not None

    assert Saving.from_dict(saving.as_dict()) == saving
    for broken in ({}, saving.as_dict() | {"carbon": "much"}, saving.as_dict() | {"kind": "odd"}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Saving.from_dict(broken)


def test_intensities_of_any_step_are_weighed_exactly() -> None:
    """Five-minute values against runs that begin and end between them."""
    rng = np.random.default_rng(1)
    values = rng.uniform(0.0, 600.0, 60)
    intensities = [
        IntensityInterval(
            start=START + place * 300.0,
            end=START + (place + 1) * 300.0,
            value=float(value),
            grade=Grade.MEASURED,
            source="test",
        )
        for place, value in enumerate(values)
    ]
    plan = two_hours_late()
    taken = [Piece(START + 7200.0 + 100.0, START + 7200.0 + 2000.0, 1234.0)]

    saving = realised_saving("Dishwasher", plan, taken, intensities)

    def grams(pieces: tuple[Piece, ...] | list[Piece]) -> float:
        total = 0.0
        for piece in pieces:
            for each in intensities:
                seconds = min(piece.end, each.end) - max(piece.start, each.start)
                total += piece.power * max(seconds, 0.0) / 3600.0 * each.value / 1000.0
        return total

    without = with_energy(plan.baseline_pieces, taken[0].energy)
    assert saving is not None
    assert saving.carbon.value == pytest.approx(grams(without) - grams(taken))
