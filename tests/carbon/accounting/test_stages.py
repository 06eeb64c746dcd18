"""Generation, transmission and upstream apart, each once."""

import pytest

from custom_components.carbon_meter.carbon.accounting.figures import Account
from custom_components.carbon_meter.carbon.accounting.stages import by_stage
from custom_components.carbon_meter.carbon.factors.factor import Scope, Stage
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from tests.carbon.accounting.factor_rows import factor

LIFE_CYCLE = {"scope": Scope.LIFE_CYCLE}


def test_losses_as_a_share_of_what_is_generated() -> None:
    """Oracle: 0.5306 kg/kWh, 5 % -> 0.558526, of which 0.027926 are losses."""
    stages = by_stage(1000.0, factor(530.6), loss_share=0.05)

    generation, losses = stages[Stage.GENERATION], stages[Stage.TRANSMISSION_DISTRIBUTION]
    assert round((generation.value + losses.value) / 1000, 6) == 0.558526
    assert round(generation.value / 1000, 4) == 0.5306
    assert round(losses.value / 1000, 6) == 0.027926
    assert Stage.UPSTREAM not in stages


def test_losses_as_a_factor_of_their_own_are_added_and_nothing_is_divided() -> None:
    """The way of DESNZ: 177.00 for generation and 18.53 for losses in 2025."""
    stages = by_stage(
        2000.0,
        factor(177.0),
        losses=factor(18.53, stage=Stage.TRANSMISSION_DISTRIBUTION),
        upstream=factor(30.0, stage=Stage.UPSTREAM),
    )

    assert {stage: figure.value for stage, figure in stages.items()} == {
        Stage.GENERATION: 354.0,
        Stage.TRANSMISSION_DISTRIBUTION: 37.06,
        Stage.UPSTREAM: 60.0,
    }
    assert {stage: figure.label.account for stage, figure in stages.items()} == {
        Stage.GENERATION: Account.LOCATION_BASED,
        Stage.TRANSMISSION_DISTRIBUTION: Account.VALUE_CHAIN,
        Stage.UPSTREAM: Account.VALUE_CHAIN,
    }
    assert all(figure.label.stage is stage for stage, figure in stages.items())


def test_upstream_and_losses_in_one_figure_stay_one() -> None:
    """The way of Australia, New South Wales 2024: 0.66 and 0.04 kg/kWh."""
    stages = by_stage(1000.0, factor(660.0), losses=factor(40.0, stage=Stage.UPSTREAM_AND_LOSSES))

    assert {stage: figure.value for stage, figure in stages.items()} == {
        Stage.GENERATION: 660.0,
        Stage.UPSTREAM_AND_LOSSES: 40.0,
    }


@pytest.mark.parametrize(
    ("table", "more", "stages"),
    [
        (
            {"includes_td": True},
            {"losses": factor(40.0, stage=Stage.TRANSMISSION_DISTRIBUTION)},
            {Stage.GENERATION},
        ),
        ({"includes_td": True}, {"loss_share": 0.05}, {Stage.GENERATION}),
        (
            {"includes_td": True},
            {"losses": factor(40.0, stage=Stage.UPSTREAM_AND_LOSSES)},
            {Stage.GENERATION},
        ),
        (
            LIFE_CYCLE,
            {"upstream": factor(40.0, stage=Stage.UPSTREAM), "loss_share": 0.05},
            {Stage.GENERATION, Stage.TRANSMISSION_DISTRIBUTION},
        ),
        ({**LIFE_CYCLE, "includes_td": True}, {"loss_share": 0.05}, {Stage.GENERATION}),
    ],
)
def test_what_a_figure_contains_is_not_counted_again(table, more, stages) -> None:
    found = by_stage(1000.0, factor(557.5, of_table=table), **more)

    assert set(found) == stages
    assert found[Stage.GENERATION].value == 557.5


def test_what_does_not_fit_together_is_refused() -> None:
    td = factor(40.0, stage=Stage.TRANSMISSION_DISTRIBUTION)
    both = factor(40.0, stage=Stage.UPSTREAM_AND_LOSSES)
    for generation, more in (
        (factor(500.0), {"losses": td, "loss_share": 0.05}),
        (factor(500.0), {"loss_share": 1.0}),
        (factor(500.0, of_table=LIFE_CYCLE), {"losses": both}),
        (td, {}),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            by_stage(1000.0, generation, **more)
    for energy in (-1.0, float("nan"), None):
        with pytest.raises(ImpossibleAmountError, match="energy"):
            by_stage(energy, factor(500.0))
