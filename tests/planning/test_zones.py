"""Zones of a building use what their model says, adjusted or not."""

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.planning.heat_pump import Heater, HeatPump
from custom_components.carbon_meter.planning.slots import Slots
from custom_components.carbon_meter.planning.thermal import Body
from custom_components.carbon_meter.planning.zones import (
    NO_ADJUSTMENT,
    Adjustment,
    AirZone,
    LightZone,
)

HOURS = np.arange(24)
SLOTS = Slots.of(0.0, 86_400.0, 3600.0)
WEIGHTS = np.where(HOURS == 12, 0.9, 0.3)
WORK = (HOURS >= 8) & (HOURS < 18)


def office(**changed: object) -> AirZone:
    """Return heated rooms that are used by day."""
    values: dict[str, object] = {
        "name": "Office",
        "body": Body(capacity=5000.0, loss=200.0),
        "source": Heater(),
        "power": 30_000.0,
        "start": 20.0,
        "setpoint": 21.0,
        "low": 20.0,
        "high": 24.0,
        "surroundings": 5.0,
        "on": (HOURS >= 6) & (HOURS < 18),
        "occupied": WORK,
    }
    return AirZone(**(values | changed))  # type: ignore[arg-type]


def test_a_lower_setpoint_needs_less_and_may_be_too_cold() -> None:
    """One kelvin is still comfort, two are not."""
    usual = office().used(SLOTS, WEIGHTS, NO_ADJUSTMENT)
    one = office().used(SLOTS, WEIGHTS, Adjustment(kelvin=1.0))
    two = office().used(SLOTS, WEIGHTS, Adjustment(kelvin=2.0))

    assert usual.powers.sum() > one.powers.sum() > two.powers.sum()
    assert usual.discomfort == one.discomfort == 0.0
    assert two.discomfort == pytest.approx(10.0)


def test_the_thermostat_holds_its_setpoint() -> None:
    """In balance the power is what is lost: 200 W a kelvin."""
    used = office().used(SLOTS, WEIGHTS, NO_ADJUSTMENT)

    assert used.powers[12] == pytest.approx(200.0 * (21.0 - 5.0))
    assert (used.powers[:6] == 0.0).all()
    assert (used.powers[18:] == 0.0).all()


def test_a_schedule_can_be_moved() -> None:
    """An hour earlier: it starts at five, and stops at five."""
    used = office().used(SLOTS, WEIGHTS, Adjustment(earlier=3600.0))

    assert used.powers[5] > 0.0
    assert used.powers[17] == 0.0


def test_what_cools_is_moved_the_other_way() -> None:
    """Less energy is a warmer room."""
    cooled = office(
        source=HeatPump(cools=True),
        start=26.0,
        setpoint=23.0,
        surroundings=34.0,
        low=20.0,
        high=25.0,
    )

    usual = cooled.used(SLOTS, WEIGHTS, NO_ADJUSTMENT)
    warmer = cooled.used(SLOTS, WEIGHTS, Adjustment(kelvin=1.0))

    assert 0.0 < warmer.powers.sum() < usual.powers.sum()


def test_light_is_dimmed_while_it_is_worst() -> None:
    """A quarter of the lit hours at the most, the worst of them, by a fifth."""
    light = LightZone(name="Hall", powers=np.where(WORK, 1000.0, 0.0))

    used = light.used(SLOTS, WEIGHTS, Adjustment(dim=0.8))

    assert used.powers[12] == 800.0
    assert np.count_nonzero(used.powers == 800.0) == 2
    assert used.powers[~WORK].sum() == 0.0
    assert used.dimmed == pytest.approx(2 * 0.2)


def test_light_keeps_what_has_to_remain() -> None:
    """A floor of 90 % holds, and full light is not dimmed at all."""
    light = LightZone(name="Hall", powers=1000.0, least=0.9)

    assert light.used(SLOTS, WEIGHTS, Adjustment(dim=0.5)).powers.min() == 900.0
    full = LightZone(name="Desk", powers=1000.0, least=1.0)
    assert full.used(SLOTS, WEIGHTS, Adjustment(dim=0.5)).dimmed == 0.0


@pytest.mark.parametrize(
    "values", [{"dim": 1.1}, {"dim": -0.1}, {"peak": 2.0}, {"kelvin": float("nan")}]
)
def test_impossible_adjustments_are_refused(values: dict[str, float]) -> None:
    """Each has an error."""
    with pytest.raises(ImpossibleAmountError):
        Adjustment(**values)


@pytest.mark.parametrize(
    "changed",
    [
        {"setpoint": float("nan")},
        {"on": np.array([True, False])},
        {"power": -1.0},
        {"start": float("inf")},
        {"surroundings": [1.0, 2.0]},
    ],
)
def test_impossible_rooms_are_refused(changed: dict[str, object]) -> None:
    """Each has an error."""
    with pytest.raises(ImpossibleAmountError):
        office(**changed).used(SLOTS, WEIGHTS, NO_ADJUSTMENT)


def test_a_schedule_of_light_can_be_moved() -> None:
    """An hour earlier: it is dark in the last hour, which is told, and lit before the first."""
    light = LightZone(name="Hall", powers=np.where(WORK, 500.0, 0.0))

    moved = light.used(SLOTS, WEIGHTS, Adjustment(earlier=3600.0))

    assert (moved.powers[7], moved.powers[16], moved.powers[17]) == (500.0, 500.0, 0.0)
    assert moved.dimmed == pytest.approx(1.0)
    assert light.used(SLOTS, WEIGHTS, NO_ADJUSTMENT).dimmed == 0.0


def test_light_that_is_moved_is_dimmed_beside() -> None:
    """Both are told: the hour that is dark, and a fifth of one of the ten that are lit."""
    light = LightZone(name="Hall", powers=np.where(WORK, 500.0, 0.0))

    used = light.used(SLOTS, WEIGHTS, Adjustment(earlier=3600.0, dim=0.8, peak=0.1))

    assert used.powers[12] == pytest.approx(400.0)
    assert used.dimmed == pytest.approx(1.2)
