"""Numbers as devices write them."""

from fractions import Fraction

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.json.values import (
    Coding,
    UnreadableValueError,
    checked,
)
from custom_components.carbon_meter.metering.quantities import QUANTITIES

ENERGY = Coding(quantity=QUANTITIES["energy_import"], factor=Fraction(1000))
POWER = Coding(
    quantity=QUANTITIES["power"],
    factor=Fraction(1),
    not_available=frozenset({Fraction(-32768), "offline"}),
)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (1, 1000),
        (13779.338, 13779338),
        (0.1, 100),
        (1e-05, Fraction(1, 100)),
        (-0.0, 0),
        ("1.5", 1500),
        (" 0012.50 ", 12500),
        ("1e3", 1_000_000),
        (".5", 500),
        ("12.", 12000),
        ("12345.000 Wh", 12345),
        ("34.09 MWh", 34_090_000),
        ("5 kWh", 5000),
        ("5kWh", 5000),
        ({"value": 1.88, "unit": "kWh"}, 1880),
        ({"value": 1.88, "unit": "Wh"}, Fraction(188, 100)),
        ({"value": "1.88", "units": "MWh"}, 1_880_000),
        ({"value": "2 kWh", "unit": "Wh"}, 2000),
        ({"value": 3, "unit": None}, 3000),
        ({"value": 3, "unit": ""}, 3000),
        ({"value": 3, "unit": "kWh", "name": "x"}, 3000),
    ],
)
def test_numbers(raw, value) -> None:
    assert ENERGY.decode(raw) == value


@pytest.mark.parametrize(
    "raw",
    [
        *(None, float("nan"), float("inf"), -float("inf"), "", " ", "-", "NA", "n/a", "NaN"),
        *("null", "None", "unavailable", "NaN kW", "NA W", -32768, "-32768", -32768.0),
        *("offline", "Offline", {"value": None, "unit": "kW"}, {"value": "nan", "unit": "kW"}),
        *({"value": float("nan"), "unit": "kW"}, {"value": float("inf"), "unit": ""}),
    ],
)
def test_what_a_device_does_not_know(raw) -> None:
    assert POWER.decode(raw) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (True, "true is not a number"),
        (False, "false is not a number"),
        ("much", "'much' is not a number"),
        ("1,5", "'1,5' is not a number|does not fit"),
        ("1.2.3", "does not fit|not a number"),
        ("12 V", "the unit 'V' does not fit power, which is in W"),
        ("12 w", "does not fit"),
        ("1e9999", "is not a number|does not fit"),
        ("9" * 100, "is not a number"),
        ("0x10", "does not fit|not a number"),
        ("١٢", "is not a number"),
        ([], r"\[\] is not a number"),
        ([1], "is not a number"),
        ({}, "is not a number"),
        ({"value": 1}, "is not a number"),
        ({"value": True, "unit": "W"}, "true is not a number"),
        ({"value": {"value": 1, "unit": "W"}, "unit": "W"}, "is not a number"),
        ({"value": 1, "unit": "A"}, "does not fit"),
    ],
)
def test_nonsense(raw, reason) -> None:
    with pytest.raises(UnreadableValueError, match=reason):
        POWER.decode(raw)


def test_a_decimal_comma_is_one_only_where_the_profile_says_so() -> None:
    comma = Coding(quantity=QUANTITIES["energy_import"], factor=Fraction(1000), decimal_comma=True)
    assert comma.decode(" 141950,625") == 141950625
    assert comma.decode("1.5") == 1500
    with pytest.raises(UnreadableValueError):
        comma.decode("1,234,567")


@pytest.mark.parametrize(
    ("key", "value"),
    [("power", 1e9 + 1), ("energy_import", -1), ("power_factor", 1.01), ("power", 10**4000)],
)
def test_what_no_meter_can_report(key, value) -> None:
    with pytest.raises(UnreadableValueError, match="implausible value"):
        checked(Fraction(value), QUANTITIES[key])
    assert checked(Fraction(-5), QUANTITIES["power"]) == -5.0


@given(st.floats(-1e8, 1e8, allow_nan=False))
def test_a_printed_number_is_read_as_it_is_printed(number) -> None:
    exact = Fraction(repr(number))
    assert POWER.decode(number) == exact
    assert POWER.decode(f"{number:.6f} W") == Fraction(f"{number:.6f}")
    assert POWER.decode({"value": number, "unit": "kW"}) == exact * 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["value", "unit"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(JSON)
def test_whatever_comes_is_a_number_nothing_or_unreadable(raw) -> None:
    try:
        value = POWER.decode(raw)
        number = None if value is None else checked(value, QUANTITIES["power"])
    except UnreadableValueError:
        return
    assert number is None or abs(number) <= QUANTITIES["power"].limit
