"""Avoided emissions, apart from the inventory and each by its kind."""

import pytest

from custom_components.carbon_meter.carbon.accounting.avoided import (
    avoided_by_export,
    avoided_by_shift,
)
from custom_components.carbon_meter.carbon.accounting.figures import (
    Account,
    BlendedFiguresError,
)
from custom_components.carbon_meter.carbon.accounting.location import location_hourly
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.intensity.source import IntensityKind

BASELINE = [3000.0, 3000.0, 0.0, 0.0]
ACTUAL = [0.0, 0.0, 3000.0, 3000.0]
MOER = [700.0, 650.0, 300.0, 250.0]
AVERAGE = [350.0, 340.0, 260.0, 220.0]


def test_a_shift_by_marginal_and_by_average_intensity() -> None:
    """Oracle: 2400 g marginal, 630 g average."""
    marginal = avoided_by_shift(BASELINE, ACTUAL, MOER, kind=IntensityKind.MARGINAL)
    average = avoided_by_shift(BASELINE, ACTUAL, AVERAGE, kind=IntensityKind.AVERAGE)

    assert (marginal.value, average.value) == (2400.0, pytest.approx(630.0, rel=1e-12))
    assert marginal.label.account is average.label.account is Account.AVOIDED
    with pytest.raises(BlendedFiguresError):
        _ = marginal + average


def test_a_shift_can_make_things_worse() -> None:
    worse = avoided_by_shift(ACTUAL, BASELINE, MOER, kind=IntensityKind.MARGINAL)

    assert worse.value == -2400.0


def test_export_is_told_beside_the_inventory_and_never_taken_off_it() -> None:
    avoided = avoided_by_export([1000.0, 500.0], [400.0, 200.0], kind=IntensityKind.MARGINAL)
    inventory = location_hourly([100.0], [300.0])

    assert avoided.value == 500.0
    with pytest.raises(BlendedFiguresError):
        _ = inventory + avoided


@pytest.mark.parametrize(
    ("baseline", "actual", "intensity"),
    [([-1.0], [0.0], [1.0]), ([1.0], [float("nan")], [1.0]), ([1.0, 2.0], [0.0], [1.0, 2.0, 3.0])],
)
def test_impossible_figures_are_refused(baseline, actual, intensity) -> None:
    with pytest.raises(ImpossibleAmountError):
        avoided_by_shift(baseline, actual, intensity, kind=IntensityKind.MARGINAL)
    with pytest.raises(ImpossibleAmountError):
        avoided_by_export([-5.0], 100.0, kind=IntensityKind.AVERAGE)
