"""Losses of the grid are added once."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.factors.factor import (
    EmissionFactor,
    FactorSource,
    Scope,
    Stage,
)
from custom_components.carbon_meter.carbon.factors.library import load_library
from custom_components.carbon_meter.carbon.factors.losses import consumed, delivered
from custom_components.carbon_meter.carbon.factors.selection import Selection

PACKAGED = load_library()
SOURCE = FactorSource(
    id="table",
    title="Table",
    publisher="Office",
    edition="2025",
    scope=Scope.DIRECT,
    includes_td=False,
    file="table.yaml",
)


def factor(value: float, **changes: object) -> EmissionFactor:
    return EmissionFactor(zone="XX", value=value, source=replace(SOURCE, **changes), line=1)


def losses(value: float, **changes: object) -> EmissionFactor:
    return factor(value, stage=Stage.TRANSMISSION_DISTRIBUTION, **changes)


def packaged(zone: str, table: str, stage: Stage = Stage.GENERATION) -> EmissionFactor:
    found = PACKAGED.find(zone, None, Selection(table=table, stage=stage))
    assert found is not None
    return found


def test_the_share_that_is_lost() -> None:
    """0.5306 with 5 % lost is 0.558526, of which losses are 0.027926 (facts, A3)."""
    assert round(consumed(0.5306, 0.05), 6) == 0.558526
    way = delivered(factor(0.5306), loss_share=0.05)
    assert round(way.total, 6) == 0.558526
    assert round(way.transmission, 6) == 0.027926
    assert way.generation == 0.5306
    assert way.upstream is None
    assert not way.complete


def test_losses_as_a_factor_of_their_own() -> None:
    """DESNZ 2025: 0.17700 and 0.01853 are added, and fuel supply told apart."""
    table = "uk_desnz_2025"
    way = delivered(
        packaged("GB", table),
        losses=packaged("GB", table, Stage.TRANSMISSION_DISTRIBUTION),
        upstream=packaged("GB", table, Stage.UPSTREAM),
    )
    assert (way.generation, way.transmission, way.upstream) == (177.0, 18.53, 45.9)
    assert round(way.total, 9) == 241.43
    assert way.complete
    assert way.use == 0


def test_a_footprint_with_the_grid_in_it_is_the_whole_way() -> None:
    """China 2024: 0.5777 has transmission in it, so 0.0327 is not added again."""
    table = "china_footprint_2024"
    way = delivered(
        packaged("CN", table),
        losses=packaged("CN", table, Stage.TRANSMISSION_DISTRIBUTION),
    )
    assert way.total == 577.7
    assert way.within == {Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM}
    assert way.complete


def test_fuel_supply_and_losses_in_one_figure() -> None:
    """NGA 2024, New South Wales: 0.66 and 0.04."""
    table = "australia_nga_2024"
    way = delivered(
        packaged("AU-NSW", table), losses=packaged("AU-NSW", table, Stage.UPSTREAM_AND_LOSSES)
    )
    assert (way.generation, way.transmission, way.upstream) == (660.0, 40.0, 0.0)
    assert way.within == {Stage.UPSTREAM}
    assert way.complete


def test_fuel_supply_is_not_added_to_a_life_cycle() -> None:
    way = delivered(factor(500, scope=Scope.LIFE_CYCLE), upstream=factor(50, stage=Stage.UPSTREAM))
    assert way.total == 500
    assert way.within == {Stage.UPSTREAM}
    assert way.transmission is None


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: delivered(factor(1), losses=losses(1), loss_share=0.1), "losses are given twice"),
        (lambda: delivered(factor(1), losses=factor(1)), "table has generation per kWh, not"),
        (lambda: delivered(losses(1)), "not generation per kWh"),
        (lambda: delivered(factor(1), upstream=losses(1)), "not upstream per kWh"),
        (lambda: delivered(factor(1), loss_share=1.0), "is not a share"),
        (lambda: delivered(factor(1), loss_share=-0.1), "is not a share"),
        (lambda: consumed(1, float("nan")), "is not a share"),
        (
            lambda: delivered(
                factor(1, scope=Scope.LIFE_CYCLE), losses=factor(1, stage=Stage.UPSTREAM_AND_LOSSES)
            ),
            "has it already",
        ),
    ],
)
def test_what_would_count_twice_or_nothing_is_refused(
    attempt: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        attempt()


@given(
    st.floats(0, 2000),
    st.booleans(),
    st.none() | st.floats(0, 0.6),
    st.none() | st.floats(0, 200),
    st.sampled_from(list(Scope)),
    st.none() | st.floats(0, 300),
)
def test_no_stage_is_counted_twice(
    generated: float,
    inside: bool,
    share: float | None,
    added: float | None,
    scope: Scope,
    supply: float | None,
) -> None:
    if share is not None and added is not None:
        added = None
    way = delivered(
        factor(generated, includes_td=inside, scope=scope),
        losses=losses(added) if added is not None else None,
        loss_share=share,
        upstream=factor(supply, stage=Stage.UPSTREAM) if supply is not None else None,
    )
    expected = generated
    if not inside:
        expected += added or 0
        if share is not None:
            expected = generated / (1 - share)
    if scope is Scope.DIRECT:
        expected += supply or 0
    assert way.total == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert (way.transmission is None) == (not inside and share is None and added is None)
