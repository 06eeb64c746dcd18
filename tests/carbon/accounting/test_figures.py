"""Figures keep their label: what has no sum gets none."""

from itertools import combinations, product
import math

import pytest

from custom_components.carbon_meter.carbon.accounting.figures import (
    Account,
    BlendedFiguresError,
    Figure,
    Label,
    Matching,
    total,
)
from custom_components.carbon_meter.carbon.accounting.normalised import (
    Denominator,
    Reference,
    per,
)
from custom_components.carbon_meter.carbon.factors.factor import Stage
from custom_components.carbon_meter.carbon.flow.amounts import ImpossibleAmountError
from custom_components.carbon_meter.carbon.intensity.source import IntensityKind

LABELS = [
    Label(account=account, matching=matching, kind=kind, stage=stage)
    for account, matching, kind, stage in product(
        Account, (None, *Matching), IntensityKind, (None, Stage.GENERATION, Stage.USE)
    )
]


@pytest.mark.parametrize("pair", combinations(LABELS[::7], 2))
def test_figures_of_different_labels_have_no_sum(pair) -> None:
    first, second = (Figure(label=label, value=1.0) for label in pair)

    with pytest.raises(BlendedFiguresError, match="have no sum"):
        _ = first + second


def test_figures_of_one_label_add_up_over_sites_and_carriers() -> None:
    gas = Label(account=Account.DIRECT, carrier="natural_gas")
    oil = Label(account=Account.DIRECT, carrier="heating_oil")

    same = total([Figure(label=gas, value=1.0), Figure(label=gas, value=2.0)])
    both = same + Figure(label=oil, value=4.0)

    assert (same.value, same.label) == (3.0, gas)
    assert (both.value, both.label.carrier) == (7.0, None)
    assert (both + both).value == 14.0


def test_other_units_and_other_things_have_no_sum() -> None:
    label = Label(account=Account.DIRECT)
    with pytest.raises(BlendedFiguresError):
        _ = Figure(label=label, value=1.0) + Figure(label=label, value=1.0, unit="gCO2eq/m²")
    with pytest.raises(TypeError):
        _ = Figure(label=label, value=1.0) + 1.0


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, None])
def test_an_inventory_has_no_negative_and_no_unknown_figure(value) -> None:
    with pytest.raises(ImpossibleAmountError):
        Figure(label=Label(account=Account.LOCATION_BASED), value=value)


def test_labels_read_as_people_say_them() -> None:
    label = Label(account=Account.MARKET_BASED, matching=Matching.HOURLY, stage=Stage.GENERATION)

    assert str(label) == "market based, hourly, generation, average, electricity"


@pytest.mark.parametrize(
    ("reference", "value", "unit"),
    [
        (Reference(denominator=Denominator.AREA, quantity=120.0), 30.0, "gCO2eq/m²"),
        (Reference(denominator=Denominator.PERSON, quantity=4.0), 900.0, "gCO2eq/person"),
        (
            Reference(denominator=Denominator.PRODUCT, quantity=1800.0, name="loaf"),
            2.0,
            "gCO2eq/loaf",
        ),
    ],
)
def test_intensities_for_comparison(reference, value, unit) -> None:
    figure = Figure(label=Label(account=Account.LOCATION_BASED), value=3600.0)

    result = per(figure, reference)

    assert (result.value, result.unit, result.label) == (value, unit, figure.label)
    with pytest.raises(ImpossibleAmountError, match="divided already"):
        per(result, reference)


@pytest.mark.parametrize("quantity", [0.0, -1.0, math.nan, None])
def test_nothing_is_divided_by_nothing(quantity) -> None:
    with pytest.raises(ImpossibleAmountError):
        Reference(denominator=Denominator.AREA, quantity=quantity)
