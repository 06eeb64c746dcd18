"""What no meter, factor or contract can truly have is refused by name."""

import math

import numpy as np
import pytest

from custom_components.carbon_meter.carbon.flow.amounts import (
    ImpossibleAmountError,
    amount,
    amounts,
    grams,
    intensity_of,
    per_interval,
)

NUMBERS_THAT_ARE_NONE = [None, "", "12 kWh", [], {}, True, math.nan, math.inf, -math.inf, 10**400]


@pytest.mark.parametrize("value", [*NUMBERS_THAT_ARE_NONE, -1e-9])
def test_what_is_no_amount_is_refused(value) -> None:
    with pytest.raises(ImpossibleAmountError, match=r"^energy: ") as caught:
        amount("energy", value)

    assert caught.value.name == "energy"


@pytest.mark.parametrize("value", NUMBERS_THAT_ARE_NONE)
def test_a_signed_amount_is_a_number_all_the_same(value) -> None:
    with pytest.raises(ImpossibleAmountError):
        amount("energy", value, signed=True)


def test_numbers_of_any_type_become_floats() -> None:
    assert [amount("energy", value) for value in (0, "2.5", np.float32(1.5), 3)] == [0, 2.5, 1.5, 3]
    assert amount("energy", -2, signed=True) == -2.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.5, None])
def test_the_first_bad_number_of_an_array_is_named(bad) -> None:
    with pytest.raises(ImpossibleAmountError, match=r"import: .* at 2 is not a possible amount"):
        amounts("import", [1.0, 2.0, bad, -1.0])
    with pytest.raises(ImpossibleAmountError, match=r"at \(1, 0\)"):
        amounts("import", [[1.0, 2.0], [bad, 3.0]])


@pytest.mark.parametrize("values", ["high", ["1", "x"], [[1.0], [1.0, 2.0]], [{}], [10**400]])
def test_what_is_no_array_is_refused(values) -> None:
    with pytest.raises(ImpossibleAmountError, match="import"):
        amounts("import", values)


def test_one_number_holds_for_all_intervals() -> None:
    assert per_interval("grid", 400.0, 3).tolist() == [400.0] * 3
    assert per_interval("grid", [400.0], 2).tolist() == [400.0] * 2
    assert per_interval("grid", [1.0, 2.0], 2).tolist() == [1.0, 2.0]
    with pytest.raises(ImpossibleAmountError, match="expected 3 numbers"):
        per_interval("grid", [1.0, 2.0], 3)


def test_nothing_carries_nothing_even_where_the_intensity_is_unknown() -> None:
    assert grams(np.array([0.0, 500.0]), np.array([math.nan, 400.0])).tolist() == [0.0, 200.0]
    assert np.isnan(grams(1.0, math.nan))


def test_without_energy_there_is_no_intensity() -> None:
    assert intensity_of(200.0, 500.0) == 400.0
    assert np.isnan(intensity_of(0.0, 0.0))
