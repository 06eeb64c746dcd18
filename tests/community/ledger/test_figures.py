"""Totals, means, spread, shared solar energy and the 24/7 score of a community."""

from collections.abc import Mapping

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Cell, CellKey, Scope, Sums
from custom_components.carbon_meter.community.ledger.figures import (
    community_score,
    shared_generation,
    spread,
    summary,
)

FLOWS = [Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.PV]


def sums(wh: int, *, free: int = 0, known: int | None = None, estimated: int = 0) -> Sums:
    return Sums(
        periods=2,
        wh=wh,
        mg=wh * 300,
        carbon_free=free,
        known=wh if known is None else known,
        measured=wh - estimated,
        estimated=estimated,
        covered=7200 * 9000,
        seconds=7200,
        unsynced=0,
    )


def cell(hour: int, flow: Flow, wh: int, *, grain: Grain = Grain.HOUR, **changes) -> Cell:
    return Cell(
        key=CellKey(
            grain=grain,
            begin=hour * 3600,
            scope=Scope.COMMUNITY,
            name="village",
            flow=flow,
            kind=Kind.AVERAGE,
        ),
        end=hour * 3600 + 3600,
        homes=2,
        expected=4,
        sums=sums(wh, **changes),
        lowest=0,
        highest=wh,
        revision=0,
        changed_at=0,
    )


def day(*hours: Mapping[Flow, int]) -> list[Cell]:
    return [
        cell(hour, flow, wh, free=wh if flow is Flow.PV else 0)
        for hour, flows in enumerate(hours)
        for flow, wh in flows.items()
    ]


def test_summary_scales_nothing_up() -> None:
    found = summary(cell(0, Flow.GRID_IMPORT, 6000, estimated=1500))
    assert (found.kwh, found.kg, found.intensity) == (6.0, 1.8, 300.0)
    assert (found.kwh_per_home, found.kg_per_home) == (3.0, 0.9)
    assert (found.participation, found.coverage, found.completeness) == (0.5, 0.9, 0.5)
    assert (found.measured_kwh, found.estimated_kwh) == (4.5, 1.5)
    assert summary(cell(0, Flow.PV, 0)).intensity is None


def test_spread_over_homes() -> None:
    homes = {f"home-{wh}": sums(wh) for wh in range(101)}
    assert spread(homes) == pytest.approx({0.1: 10, 0.25: 25, 0.5: 50, 0.75: 75, 0.9: 90})
    assert spread({}) == {}


def test_solar_energy_is_shared_within_its_hour_only() -> None:
    noon = {Flow.PV: 1000, Flow.GRID_EXPORT: 600, Flow.GRID_IMPORT: 200}
    evening = {Flow.GRID_IMPORT: 900}
    found = shared_generation(day(noon, evening))
    assert (found.generated, found.used_at_home, found.shared, found.exported) == (
        1000,
        400,
        200,
        400,
    )
    assert found.self_consumption == pytest.approx(0.6)
    assert found.hours == 1


def test_without_solar_energy_there_is_no_share() -> None:
    assert shared_generation(day({Flow.GRID_IMPORT: 5})).self_consumption is None


@given(
    st.lists(
        st.fixed_dictionaries({}, optional={flow: st.integers(0, 10**9) for flow in FLOWS}),
        max_size=8,
    )
)
def test_solar_energy_goes_somewhere_once(hours) -> None:
    found = shared_generation(day(*hours))
    assert found.used_at_home + found.shared + found.exported == found.generated
    assert min(found.used_at_home, found.shared, found.exported) >= 0
    assert found.shared <= sum(hour.get(Flow.GRID_IMPORT, 0) for hour in hours)


def test_score_of_a_community() -> None:
    """At noon the roofs carry half of the load, at night the grid is 40 % carbon-free."""
    noon = [cell(0, Flow.GRID_IMPORT, 500), cell(0, Flow.PV, 500, free=500)]
    night = [cell(1, Flow.GRID_IMPORT, 1000, free=400)]
    found = community_score(noon + night)
    assert found is not None
    assert found.score == pytest.approx((500 + 400) / 2000)
    assert found.contracted == pytest.approx(0.25)


def test_surplus_of_one_home_is_clean_energy_of_another() -> None:
    noon = [
        cell(0, Flow.GRID_IMPORT, 300),
        cell(0, Flow.GRID_EXPORT, 300),
        cell(0, Flow.PV, 800, free=800),
    ]
    found = community_score(noon)
    assert found is not None
    assert found.score == 1.0


def test_charged_solar_energy_counts_when_it_is_discharged() -> None:
    noon = [
        cell(0, Flow.GRID_IMPORT, 0),
        cell(0, Flow.PV, 500, free=500),
        cell(0, Flow.BATTERY_IN, 500, free=500),
    ]
    evening = [cell(1, Flow.GRID_IMPORT, 100), cell(1, Flow.BATTERY_OUT, 400, free=400)]
    found = community_score(noon + evening)
    assert found is not None
    assert found.score == pytest.approx(0.8)


def test_what_nobody_has_told_is_no_measured_zero() -> None:
    untold = [cell(0, Flow.GRID_IMPORT, 600, known=0), cell(0, Flow.PV, 400, free=400)]
    assert community_score(untold) is None
    measured = community_score([cell(0, Flow.GRID_IMPORT, 600)])
    assert measured is not None
    assert measured.score == 0.0


def test_what_is_told_of_some_counts_the_rest_as_none() -> None:
    hours = [
        cell(0, Flow.GRID_IMPORT, 600, known=0),
        cell(1, Flow.GRID_IMPORT, 400, known=200, free=100),
    ]
    found = community_score(hours)
    assert found is not None
    assert found.score == pytest.approx(0.1)


def test_without_import_the_grid_need_not_be_known() -> None:
    island = [cell(0, Flow.GRID_IMPORT, 0, known=0), cell(0, Flow.PV, 500, free=500)]
    found = community_score(island)
    assert found is not None
    assert found.score == 1.0


def test_hours_without_import_are_unknown_and_no_score_is_made_of_nothing() -> None:
    assert community_score([cell(0, Flow.PV, 500, free=500)]) is None


def test_only_hours_can_be_matched() -> None:
    with pytest.raises(ValueError, match="day"):
        shared_generation([cell(0, Flow.PV, 5, grain=Grain.DAY)])
