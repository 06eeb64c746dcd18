"""Readings, and the same meter mounted the other way round."""

from hypothesis import given, strategies as st

from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.metering.readings import Fault, Reading


def test_reversed_swaps_the_counters_and_turns_the_flow() -> None:
    fault = Fault(quantity="current", register="input 0x0006", reason="implausible value")
    reading = Reading(
        time=5.0,
        values={
            "power": 1200.0,
            "current_l1": 5.2,
            "reactive_power": -80.0,
            "power_factor": 0.99,
            "voltage_l1": 230.0,
            "frequency": 50.0,
            "energy_import": 1000.0,
            "energy_export": 20.0,
            "energy_import_l1": 3.0,
            "energy_total": 1020.0,
        },
        faults=(fault,),
    )

    other = reading.reversed()

    assert other.values == {
        "power": -1200.0,
        "current_l1": -5.2,
        "reactive_power": 80.0,
        "power_factor": -0.99,
        "voltage_l1": 230.0,
        "frequency": 50.0,
        "energy_export": 1000.0,
        "energy_import": 20.0,
        "energy_export_l1": 3.0,
        "energy_total": 1020.0,
    }
    assert (other.time, other.faults) == (5.0, (fault,))


@given(st.dictionaries(st.sampled_from(sorted(QUANTITIES)), st.floats(0, 1e6)))
def test_reversed_twice_is_the_same(values) -> None:
    reading = Reading(time=1.0, values=values)

    assert reading.reversed().reversed() == reading


def test_a_fault_reads_as_one_line() -> None:
    fault = Fault(quantity="power", register="input 0x0034", reason="implausible value 3e+38 W")

    assert str(fault) == "power (input 0x0034): implausible value 3e+38 W"


def test_a_meter_that_shows_export_as_positive_keeps_its_counters() -> None:
    reading = Reading(
        time=5.0, values={"power": -2500.0, "voltage": 230.0, "energy_import": 5.0}
    ).with_power_reversed()

    assert reading.values == {"power": 2500.0, "voltage": 230.0, "energy_import": 5.0}
