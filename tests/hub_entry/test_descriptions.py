"""What the sensors of a hub make of a period: figures in their units, and why there are none."""

from types import SimpleNamespace
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.hub.counts import Counts
from custom_components.carbon_meter.community.hub.periods import (
    FlowFigures,
    Period,
    SharedFigures,
)
from custom_components.carbon_meter.hub_entry.descriptions import (
    COMMUNITY_FIGURES,
    PART_FIGURES,
    STATES,
    FigureDescription,
)

IMPORT = FlowFigures(
    flow=Flow.GRID_IMPORT,
    kind=Kind.AVERAGE,
    kwh=20.0,
    kg=7.0,
    intensity=350.0,
    kwh_per_home=1.25,
    kg_per_home=0.4375,
    homes=16,
    expected=20,
    participation=0.8,
    coverage=0.95,
    state="final",
    quantiles={0.25: 1.0, 0.5: 1.2, 0.75: 1.6},
)
SHARED = SharedFigures(
    generated_kwh=8.0,
    used_at_home_kwh=5.0,
    shared_kwh=2.0,
    exported_kwh=1.0,
    self_consumption=0.875,
    hours=24,
)


def day(*flows: FlowFigures, **changes: Any) -> Period:
    return Period(begin=0, end=86400, flows=flows, **changes)


def of_day(key: str) -> FigureDescription:
    (found,) = [one for one in COMMUNITY_FIGURES if one.key == f"day_{key}"]
    return found


@pytest.mark.parametrize(
    ("key", "value", "unit", "device_class"),
    [
        ("energy", 20.0, "kWh", SensorDeviceClass.ENERGY),
        ("carbon", 7.0, "kg", SensorDeviceClass.WEIGHT),
        ("intensity", 350.0, "gCO2eq/kWh", None),
        ("homes", 16, None, None),
        ("expected", 20, None, None),
        ("participation", 80.0, "%", None),
        ("coverage", 95.0, "%", None),
        ("cfe_score", 75.0, "%", None),
        ("self_consumption", 87.5, "%", None),
        ("shared_generation", 2.0, "kWh", SensorDeviceClass.ENERGY),
        ("energy_per_home", 1.25, "kWh", SensorDeviceClass.ENERGY),
        ("carbon_per_home", 0.4375, "kg", SensorDeviceClass.WEIGHT),
        ("median", 1.2, "kWh", SensorDeviceClass.ENERGY),
    ],
)
def test_every_figure_has_its_unit(
    key: str, value: float, unit: str | None, device_class: SensorDeviceClass | None
) -> None:
    description = of_day(key)
    period = day(IMPORT, shared=SHARED, cfe_score=0.75)
    assert description.figure(period) == pytest.approx(value)
    assert description.native_unit_of_measurement == unit
    assert description.device_class is device_class
    assert description.suppressed(period) is None
    # Of nothing nothing is said.
    assert description.figure(day()) is None


def test_nothing_else_is_shown_of_a_day() -> None:
    """Each figure that is added has to be held against what may be known of a home."""
    keys = {one.key for one in COMMUNITY_FIGURES if one.key.startswith("day_")}
    assert len(keys) == 13
    assert [one.key for one in PART_FIGURES] == [
        "day_energy",
        "day_carbon",
        "day_intensity",
        "day_homes",
    ]


def test_what_is_weighed_otherwise_is_not_the_import() -> None:
    residual = FlowFigures(flow=Flow.GRID_IMPORT, kind=Kind.RESIDUAL, kwh=99.0)
    assert of_day("energy").figure(day(residual)) is None
    assert of_day("energy").figure(day(residual, IMPORT)) == 20.0


def test_why_a_figure_is_not_shown() -> None:
    hidden = FlowFigures(flow=Flow.GRID_IMPORT, kind=Kind.AVERAGE, suppressed="few")
    period = day(hidden, shared_suppressed="dominance", score_suppressed="secondary")
    assert of_day("energy").suppressed(period) == "few"
    assert of_day("shared_generation").suppressed(period) == "dominance"
    assert of_day("cfe_score").suppressed(period) == "secondary"
    energy = of_day("energy")
    assert energy.standing(period) == {"approximate": None, "current": None, "finality": None}
    assert energy.attributes is not None
    assert energy.attributes(period) == {"per_home": None, "quantiles": None}
    assert energy.attributes(day(IMPORT)) == {
        "per_home": 1.25,
        "quantiles": {"25%": 1.0, "50%": 1.2, "75%": 1.6},
    }


def test_the_worst_of_what_it_is_made_of_counts() -> None:
    solar = FlowFigures(
        flow=Flow.PV,
        kind=Kind.AVERAGE,
        kwh=8.0,
        is_approximate=True,
        is_current=False,
        state="provisional",
    )
    period = day(IMPORT, solar, shared=SHARED)
    assert of_day("energy").standing(period) == {
        "approximate": False,
        "current": True,
        "finality": "final",
    }
    assert of_day("self_consumption").standing(period) == {
        "approximate": True,
        "current": False,
        "finality": "provisional",
    }


def test_all_that_a_hub_did_not_take_is_counted() -> None:
    counts = Counts(refused={"consent": 2, "future": 1}, retained=4, flooded=8, accepted=16)
    hub: Any = SimpleNamespace(status=SimpleNamespace(counts=counts))
    (description,) = [one for one in STATES if one.key == "refused"]
    assert description.value(hub) == 15
    assert description.attributes is not None
    told = description.attributes(hub)
    assert told == {"consent": 2, "future": 1, "retained": 4, "flooded": 8}
