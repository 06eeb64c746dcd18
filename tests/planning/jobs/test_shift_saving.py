"""What batteries and zones have saved, held against sums by hand."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.accounting.figures import (
    Account,
    BlendedFiguresError,
    Figure,
    Label,
)
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import IntensityInterval, IntensityKind
from custom_components.carbon_meter.planning.jobs.shift_saving import (
    battery_saving,
    energy_less,
    zone_saving,
)
from custom_components.carbon_meter.planning.plan import Piece
from custom_components.carbon_meter.planning.realised import PriceInterval
from tests.planning.problems import HOUR, START


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


def prices(values: list[float]) -> list[PriceInterval]:
    """Return prices, hour by hour."""
    return [
        PriceInterval(start=START + place * HOUR, end=START + (place + 1) * HOUR, value=value)
        for place, value in enumerate(values)
    ]


def powers(*values: float) -> list[Piece]:
    """Return the power of each hour."""
    return [
        Piece(START + place * HOUR, START + (place + 1) * HOUR, value)
        for place, value in enumerate(values)
        if value
    ]


def test_a_battery_that_ends_as_it_began() -> None:
    """2 kWh in at 100, 1.62 kWh out at 500: 0.81 of the round trip; 810 - 200 g."""
    found = battery_saving(
        "Battery",
        powers(2000, 0, -1620),
        hours([100, 900, 500]),
        efficiency=0.81,
        content_change=0.0,
        prices=prices([0.1, 0.9, 0.5]),
        planned=600.0,
    )

    assert found is not None
    assert found.carbon.value == pytest.approx(1.62 * 500 - 2 * 100)
    assert found.cost == pytest.approx(1.62 * 0.5 - 2 * 0.1)
    assert found.energy == pytest.approx(2000.0)
    assert found.coverage == 1.0
    assert found.planned == 600.0


def test_what_stays_in_it_is_no_loss() -> None:
    """2 kWh in at 100 and nothing out: 1800 Wh are in the cells, worth the 200 g they brought."""
    kept = battery_saving(
        "Battery", powers(2000), hours([100]), efficiency=0.81, content_change=1800.0
    )
    told_by_efficiency = battery_saving("Battery", powers(2000), hours([100]), efficiency=0.81)

    assert kept is not None
    assert told_by_efficiency is not None
    assert kept.carbon.value == pytest.approx(0.0)
    assert told_by_efficiency.carbon.value == pytest.approx(0.0)


def test_what_was_in_it_is_no_gift() -> None:
    """0.9 kWh out at 500, charged yesterday at 200: 1 Wh of the cells took 1 / 0.9 at the meter."""
    found = battery_saving(
        "Battery",
        powers(-900),
        hours([500]),
        efficiency=0.81,
        content_change=-1000.0,
        stored=200.0,
    )

    assert found is not None
    assert found.carbon.value == pytest.approx(0.9 * 500 - 1.0 / 0.9 * 200)
    assert found.energy == 0.0


def test_without_any_past_the_day_itself_tells_what_was_in_it() -> None:
    """Given out at the mean of the day there is nothing but the loss."""
    found = battery_saving(
        "Battery",
        powers(0, -810),
        hours([300, 300]),
        efficiency=0.81,
        content_change=-900.0,
        prices=prices([0.2, 0.2]),
    )

    assert found is not None
    assert found.carbon.value == pytest.approx(0.81 * 300 - 300)
    assert found.cost == pytest.approx(0.81 * 0.2 - 0.2)


def test_time_without_an_intensity_is_told() -> None:
    """In neither sum; a quarter of what went through it."""
    found = battery_saving(
        "Battery",
        powers(1000, -500, 0, -500),
        hours([100, 400, 300, None]),
        efficiency=1.0,
        content_change=0.0,
        prices=prices([0.1, 0.2, 0.3]),
    )

    assert found is not None
    assert found.carbon.value == pytest.approx(0.5 * 400 - 100)
    assert found.coverage == pytest.approx(0.75)
    assert found.cost is None


def test_nothing_at_all() -> None:
    """A battery that rests saves nothing, and nothing is known of it either way."""
    assert battery_saving("Battery", [], hours([100]), efficiency=0.9) is None
    assert zone_saving("Office", [], [], hours([100])) is None


@pytest.mark.parametrize("efficiency", [0.0, 1.1, float("nan"), -1.0])
def test_there_is_no_such_battery(efficiency: float) -> None:
    """It is refused."""
    with pytest.raises(ImpossibleAmountError):
        battery_saving("Battery", powers(1000), hours([100]), efficiency=efficiency)


def test_a_power_that_is_no_number_is_refused() -> None:
    """Rather than added up."""
    with pytest.raises(ImpossibleAmountError):
        battery_saving("Battery", powers(float("nan")), hours([100]), efficiency=0.9)
    with pytest.raises(ImpossibleAmountError):
        zone_saving("Office", powers(float("inf")), powers(1.0), hours([100]))


@given(
    st.lists(st.floats(-3000, 3000), min_size=1, max_size=12),
    st.floats(0.0, 900.0),
    st.floats(0.5, 1.0),
)
def test_an_even_grid_saves_nothing(course: list[float], value: float, efficiency: float) -> None:
    """At one intensity a battery costs what it loses, and never gains."""
    found = battery_saving(
        "Battery", powers(*course), hours([value] * len(course)), efficiency=efficiency
    )

    if found is not None:
        discharged = sum(-power for power in course if power < 0.0)
        lost = discharged * (1.0 / efficiency - 1.0)
        assert found.carbon.value == pytest.approx(-lost * value / 1000.0, abs=1e-6)


def test_dimmed_light_saves_its_energy_too() -> None:
    """2 kW dimmed to 1.6 kW at 500 g/kWh: 200 g of 400 Wh, which are told."""
    without, taken = powers(2000, 2000, 2000), powers(2000, 1600, 2000)
    found = zone_saving(
        "Office", without, taken, hours([300, 500, 300]), prices=prices([0.3, 0.3, 0.3])
    )

    assert found is not None
    assert found.carbon.value == pytest.approx(200.0)
    assert found.cost == pytest.approx(0.12)
    assert found.energy == pytest.approx(5600.0)
    assert energy_less(without, taken) == pytest.approx(400.0)


def test_a_zone_that_was_cooled_ahead() -> None:
    """One kWh more at 100, one less at 600, half an hour without an intensity."""
    found = zone_saving("Office", powers(0, 2000), powers(1000, 1000), hours([100, 600]))
    half = zone_saving("Office", powers(0, 2000), powers(1000, 1000), hours([None, 600]))

    assert found is not None
    assert half is not None
    assert found.carbon.value == pytest.approx(500.0)
    assert half.carbon.value == pytest.approx(600.0)
    assert half.coverage == pytest.approx(0.75)


def test_it_is_never_part_of_an_inventory() -> None:
    """A figure of avoided emissions, of its own kind, that refuses to be added."""
    found = zone_saving(
        "Office", powers(1000), powers(500), hours([400]), kind=IntensityKind.MARGINAL
    )

    assert found is not None
    assert found.carbon.label == Label(account=Account.AVOIDED, kind=IntensityKind.MARGINAL)
    with pytest.raises(BlendedFiguresError):
        found.carbon + Figure(label=Label(account=Account.LOCATION_BASED), value=1.0)
