"""Each meter is offered once, whatever the ways it was found by."""

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.discovery.found import FoundMeter, distinct, found_meters
from custom_components.carbon_meter.drivers.http import HttpDriver
from custom_components.carbon_meter.drivers.modbus import ModbusDriver
from custom_components.carbon_meter.metering.candidate import Candidate
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.readings import Reading

PROFILES = load_profiles()
MODBUS, HTTP = ModbusDriver(), HttpDriver()
READING = Reading(time=0, values={"power": 500.0})


def candidate(
    serial: str = "", profile: str = "eastron_sdm630", base: int = 0, **changes: Any
) -> Candidate:
    return Candidate(
        profile=PROFILES[profile],
        settings={"base": base},
        reading=READING,
        serial=serial,
        **{"certain": True, **changes},
    )


def at(host: str, *candidates: Candidate, unit: int = 1, port: int = 502) -> list[FoundMeter]:
    return found_meters(MODBUS, [({"host": host, "port": port, "unit": unit}, candidates)])


def web(host: str, *candidates: Candidate) -> list[FoundMeter]:
    address = {"host": host, "port": 80, "ssl": False}
    said = tuple(
        Candidate(**{**vars(each), "settings": {"instance": {"channel": number}}})
        for number, each in enumerate(candidates)
    )
    return found_meters(HTTP, [(address, said)])


def places(meters: list[FoundMeter]) -> list[str]:
    return [meter.place for meter in distinct(meters)]


def test_guesses_are_one_meter_and_proofs_are_several() -> None:
    guesses = at("a", candidate(certain=False), candidate(base=7, certain=False))
    assert [len(meter.candidates) for meter in guesses] == [2]
    proofs = at("a", candidate("1", base=5), candidate("2", base=7), candidate(certain=False))
    assert [meter.best.serial for meter in distinct(proofs)] == ["1", "2"]
    assert found_meters(MODBUS, [({"host": "a", "port": 502, "unit": 1}, ())]) == []


def test_two_meters_of_one_device_with_one_number_stay_two() -> None:
    twins = at("a", candidate("1", base=5), candidate("1", base=7))
    assert len(distinct(twins)) == 2
    assert len({meter.unique_id for meter in twins}) == 2


def test_own_map_and_sunspec_of_one_device_are_one_meter() -> None:
    own = at("a", candidate("0012-34"), unit=1)
    chain = at("a", candidate("001234", "sunspec_meter_integer", manufacturer="Other"), unit=240)
    assert places([*own, *chain]) == ["a:502 #1"]


def test_meter_with_two_addresses_is_one() -> None:
    assert places([*at("b", candidate("9")), *at("a", candidate("9"))]) == ["b:502 #1"]


def test_proof_wins_over_a_guess() -> None:
    guess = at("a", candidate("9", certain=False), unit=1)
    proof = at("a", candidate("9"), unit=2)
    assert places([*guess, *proof]) == ["a:502 #2"]


def test_two_protocols_of_one_device_are_one_meter() -> None:
    assert places([*at("a", candidate()), *web("a", candidate("77"))]) == ["a:502 #1"]
    # Another maker's page at the address of a gateway is another device.
    page = web("a", candidate("77", manufacturer="Other"))
    assert len(distinct([*at("a", candidate()), *page])) == 2


def test_meters_without_a_number_are_told_apart_by_their_place() -> None:
    bus = [*at("a", candidate(), unit=1), *at("a", candidate(), unit=2), *at("b", candidate())]
    assert len(distinct(bus)) == 3
    assert len({meter.key for meter in bus}) == 3


def test_order_is_that_of_people() -> None:
    hosts = ["meter.local", "192.168.1.10", "192.168.1.9"]
    meters = [
        *(meter for host in hosts for meter in at(host, candidate())),
        *at("192.168.1.9", candidate(), unit=10),
        *at("192.168.1.9", candidate(), unit=2),
    ]
    assert places(meters) == [
        "192.168.1.9:502 #1",
        "192.168.1.9:502 #2",
        "192.168.1.9:502 #10",
        "192.168.1.10:502 #1",
        "meter.local:502 #1",
    ]


FINDS = st.builds(
    lambda host, unit, serial, certain: at(host, candidate(serial, certain=certain), unit=unit)[0],
    st.sampled_from(["10.0.0.1", "10.0.0.2"]),
    st.integers(1, 4),
    st.sampled_from(["", "1", "2"]),
    st.booleans(),
)


@given(st.lists(FINDS, max_size=8))
def test_none_is_lost_and_none_is_offered_twice(meters: list[FoundMeter]) -> None:
    kept = distinct(meters)
    assert distinct(kept) == kept
    for meter in meters:
        number = meter.best.serial
        assert any(
            each.key == meter.key or (number and each.best.serial == number) for each in kept
        )
    assert len({meter.unique_id for meter in kept}) == len(kept)
    assert len({meter.key for meter in kept}) == len(kept)


def test_place_of_a_meter_without_a_host_is_its_protocol() -> None:
    meter = at("a", candidate("5"))[0]
    assert meter.host == "a"
    nowhere = FoundMeter(
        driver=MODBUS, address={}, candidates=meter.candidates, companions=meter.companions
    )
    assert nowhere.place == "Modbus TCP"
    with pytest.raises(KeyError):
        _ = nowhere.key
