"""One record for everything that was not believed."""

import json

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.counters import CounterEvent
from custom_components.carbon_meter.metering.incidents import Incident, Reason

finite = st.floats(allow_nan=False, allow_infinity=False)
incidents = st.builds(
    Incident,
    time=finite,
    reason=st.sampled_from(Reason),
    quantity=st.sampled_from(["", "power", "energy_import"]),
    amount=finite,
    unit=st.sampled_from(["Wh", "W", "s"]),
    ended=st.none() | finite,
)


@given(incidents)
def test_an_incident_comes_back_from_a_file(incident) -> None:
    assert Incident.from_list(json.loads(json.dumps(incident.as_list()))) == incident


def test_an_event_of_version_0_1_is_an_incident_that_is_over() -> None:
    assert Incident.from_list([5.0, "energy_import", "jump", 1000.0]) == Incident(
        time=5.0,
        reason=Reason.JUMP,
        quantity="energy_import",
        amount=1000.0,
        unit="Wh",
        ended=5.0,
    )


@pytest.mark.parametrize("event", CounterEvent)
def test_every_event_of_a_counter_is_a_reason(event) -> None:
    assert Reason(event.value).value == event.value


@pytest.mark.parametrize(
    ("reason", "quantity", "amount", "apart"),
    [
        (Reason.JUMP, "energy_import", 1000.0, 1000.0),
        (Reason.REPLACED, "energy_export", -500.0, 500.0),
        (Reason.SPIKE, "energy_import", 9e9, 9e9),
        (Reason.SPIKE, "voltage_l1", 900.0, 0.0),
        (Reason.ENERGY_AGAINST_POWER, "", 900.0, 0.0),
        (Reason.FROZEN, "", 900.0, 0.0),
    ],
)
def test_only_what_a_counter_showed_is_set_apart(reason, quantity, amount, apart) -> None:
    incident = Incident(
        time=1.0, reason=reason, quantity=quantity, amount=amount, unit="Wh", ended=None
    )
    assert incident.set_apart == apart
