"""How much heat a unit of electricity moves."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.heat_pump import Heater, HeatPump


def at(outside: float, inside: float, **values: float) -> float:
    """Return the performance of a pump that heats."""
    pump = HeatPump(**values)
    return float(pump.performance(np.array(outside), np.array(inside)))


def test_a_pump_is_a_part_of_carnot() -> None:
    """0.4 of 313.15 K over the 43 K between -3 and 40 degrees."""
    assert at(2.0, 35.0, approach=5.0) == pytest.approx(0.4 * 313.15 / 43.0)


def test_cooling_counts_the_cold_side() -> None:
    """The cold side is wanted."""
    pump = HeatPump(quality=0.3, approach=5.0, cools=True)
    found = float(pump.performance(np.array(35.0), np.array(24.0)))

    assert found == pytest.approx(0.3 * (24.0 + 273.15 - 5.0) / (35.0 - 24.0 + 10.0))


def test_it_never_rises_with_the_temperature_that_it_works_against() -> None:
    """What the plan by stages rests on."""
    inside = np.linspace(-20.0, 90.0, 500)
    outside = np.full(500, 3.0)

    assert (np.diff(HeatPump().performance(outside, inside)) <= 0.0).all()
    assert (np.diff(HeatPump(cools=True).performance(outside, inside)) >= 0.0).all()


def test_it_stays_within_what_pumps_do() -> None:
    """No lift gives no infinite heat, and a great one no less than a heater."""
    assert at(40.0, 20.0, approach=0.0) == 8.0
    assert at(-150.0, 90.0) == 1.0


def test_a_heater_does_not_care() -> None:
    """The same at all temperatures."""
    assert Heater(efficiency=0.9).performance(np.array([1.0, 2.0]), np.array(3.0)).tolist() == [
        0.9,
        0.9,
    ]


@pytest.mark.parametrize(
    "values", [{"quality": 0.0}, {"quality": 1.1}, {"approach": -1.0}, {"most": 0.5}]
)
def test_impossible_pumps_are_refused(values: dict[str, float]) -> None:
    """Each has an error."""
    with pytest.raises(ImpossibleAmountError):
        HeatPump(**values)


@pytest.mark.parametrize("efficiency", [0.0, -1.0, 1.01, float("nan")])
def test_impossible_heaters_are_refused(efficiency: float) -> None:
    """Each has an error."""
    with pytest.raises(ImpossibleAmountError):
        Heater(efficiency=efficiency)
