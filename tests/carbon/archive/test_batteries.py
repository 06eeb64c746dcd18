"""Ledgers of batteries, through the archive and back."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.codec import pack_states, unpack_states
from custom_components.carbon_meter.carbon.grade import BEST_FIRST
from custom_components.carbon_meter.carbon.supply.battery import Battery, Costing, Portion
from tests.carbon.archived import HOUR, START

portions = st.builds(
    Portion,
    energy=st.floats(1e-3, 1e6),
    carbon=st.floats(0.0, 1e6),
    grade=st.sampled_from(BEST_FIRST),
    since=st.floats(START, START + 1e6),
)


@given(charged=st.lists(portions, max_size=20), part=st.floats(0.0, 2.0))
@pytest.mark.parametrize("costing", list(Costing))
def test_a_battery_goes_on_where_it_was(
    costing: Costing, charged: list[Portion], part: float
) -> None:
    """It gives afterwards what it would have given, to the last bit."""
    battery = Battery(charging=0.95, discharging=0.93, costing=costing)
    battery.charge(charged)
    stored = unpack_states(pack_states({"battery": battery.as_dict()}))["battery"]
    again = Battery(charging=0.95, discharging=0.93, costing=costing).restore(stored)
    assert again == battery
    energy = battery.stored * part
    assert again.discharge(energy, fallback=300.0) == battery.discharge(energy, fallback=300.0)


def test_the_newest_ledgers_at_or_before_an_hour(archive: Archive) -> None:
    assert archive.batteries(START) is None
    for hour in (0, 2, 5):
        archive.put_batteries(START + hour * HOUR, {"b": {"content": [], "hour": hour}})
    archive.put_batteries(START + 2 * HOUR, {"b": {"content": [], "hour": 2.5}})
    assert archive.batteries(START - HOUR) is None
    assert archive.batteries(START + HOUR) == (START, {"b": {"content": [], "hour": 0}})
    found = (START + 2 * HOUR, {"b": {"content": [], "hour": 2.5}})
    assert archive.batteries(START + 2 * HOUR) == archive.batteries(START + 4 * HOUR) == found
    archive.forget_batteries(START + 2 * HOUR)
    assert archive.batteries(START + 9 * HOUR) == found
    with pytest.raises(ValueError, match="start of an hour"):
        archive.put_batteries(START + 1, {})
    with pytest.raises(ValueError, match="JSON"):
        archive.put_batteries(START + 3 * HOUR, {"b": {"carbon": float("nan")}})


def test_ledgers_that_cannot_be_read_any_more_are_passed_over(archive: Archive) -> None:
    archive.put_batteries(START, {"b": {"content": []}})
    archive.put_batteries(START + HOUR, {"b": {"content": []}})
    with archive._database.writing() as connection:
        connection.execute("UPDATE battery SET states = x'00ff' WHERE hour > ?", (START,))
    assert archive.batteries(START + HOUR) == (START, {"b": {"content": []}})
