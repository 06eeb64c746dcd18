"""Faults as data."""

from typing import Any

import pytest

from hardware.virtual import FAULTS, Jump, Late, NotAvailable, Reset, RollOver, Silent, Spike
from hardware.virtual.faults import fault_from


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("silent", {}, Silent()),
        ("silent", {"times": 3}, Silent(times=3)),
        ("late", {"seconds": 2}, Late(seconds=2.0)),
        ("not_available", {"quantities": ["power"]}, NotAvailable(quantities=("power",))),
        ("spike", {"quantity": "power", "value": -1}, Spike(quantity="power", value=-1, times=1)),
        ("reset", {}, Reset(to=0.0, quantities=())),
        ("jump", {"by": -5}, Jump(by=-5, quantities=("energy_import",))),
        ("roll_over", {"at": 1e6}, RollOver(at=1e6)),
    ],
)
def test_a_fault_is_made_of_a_request(
    name: str, parameters: dict[str, Any], expected: object
) -> None:
    assert fault_from(name, parameters) == expected


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("sulk", {}, "'sulk' is not a fault; known are silent, late"),
        (None, {}, "None is not a fault"),
        ("silent", {"seconds": 1}, "silent has no 'seconds'; it has times"),
        ("late", {}, "late: .*seconds"),
        ("late", {"seconds": "2"}, "seconds must be a number"),
        ("late", {"seconds": True}, "seconds must be a number"),
        ("late", {"seconds": 0}, "seconds must be more than 0"),
        ("late", {"seconds": float("nan")}, "seconds must be finite"),
        ("silent", {"times": 0}, "times must be a whole number from 1"),
        ("refuse", {"code": 256}, "code must be a whole number from 0 to 255"),
        ("wrong_unit", {"unit": 1.5}, "unit must be a whole number"),
        ("not_available", {"quantities": "power"}, "quantities must be a list of texts"),
        ("garbage", {"quantities": [1]}, "quantities must be a text"),
        ("spike", {"quantity": 1, "value": 1}, "quantity must be a text"),
    ],
)
def test_a_wrong_request_is_explained(
    name: object, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fault_from(name, parameters)


def test_every_fault_has_a_name_and_a_sentence() -> None:
    for name, kind in FAULTS.items():
        assert kind.name == name
        assert kind.__doc__
        assert kind.__doc__.endswith(".")
