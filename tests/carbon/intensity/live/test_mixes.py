"""Generation by fuel as intensities."""

import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.mix import GenerationFactors
from custom_components.carbon_meter.carbon.factors.technology import Technology
from custom_components.carbon_meter.carbon.intensity.live.mixes import Generation, add_mixes
from custom_components.carbon_meter.carbon.intensity.live.rows import Rows

T = 1_790_020_800.0
FUELS = {"C": Technology.COAL, "D": Technology.COAL, "W": Technology.WIND, "O": Technology.OIL}
FACTORS = GenerationFactors(
    id="test",
    scope=Scope.DIRECT,
    values={
        Technology.COAL: 800.0,
        Technology.WIND: 0.0,
        Technology.OIL: 600.0,
        Technology.UNKNOWN: 700.0,
    },
)


def mixed(*hours: dict[str, float]) -> list[float | None]:
    """Return the intensity of each hour, None where there is none."""
    rows = Rows("test", "gCO2eq/kWh", now=T)
    generation = [
        Generation(start=T - 36000 + 3600 * index, end=T - 32400 + 3600 * index, fuel=f, amount=a)
        for index, hour in enumerate(hours)
        for f, a in hour.items()
    ]
    add_mixes(rows, generation, FUELS, FACTORS)
    found = {round((each.start - T + 36000) / 3600): each.value for each in rows.intervals()}
    return [found.get(index) for index in range(len(hours))]


def test_a_mix_is_weighed() -> None:
    assert mixed({"C": 60, "D": 40, "W": 300}, {"C": 50, "D": 50, "W": 100}) == [200, 400]


def test_an_hour_without_a_fuel_that_matters_has_no_mix() -> None:
    assert mixed({"C": 100, "W": 100}, {"W": 100}, {"C": 100, "W": 100}) == [400, None, 400]


def test_a_fuel_that_hardly_counts_may_be_missing() -> None:
    assert mixed({"C": 100, "W": 100, "O": 1}, {"C": 100, "W": 100}) == [
        pytest.approx(80600 / 201),
        400,
    ]


def test_storage_and_what_is_not_known_do_not_count() -> None:
    assert mixed({"C": 100, "W": 100, "BAT": 5000}) == [400]


def test_what_takes_energy_in_gives_nothing() -> None:
    assert mixed({"C": 100, "W": -20}) == [800]


def test_where_nothing_is_generated_there_is_no_mix() -> None:
    assert mixed({"C": 0, "W": 0}, {"C": 100, "W": 100}) == [None, 400]
    assert mixed({}) == [None]


def test_more_than_there_can_be_is_not_believed() -> None:
    assert mixed({"C": 1e9, "W": 100}, {"C": 100, "W": 100}) == [None, 400]
