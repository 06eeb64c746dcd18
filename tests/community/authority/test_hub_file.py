"""The hub file: read again the same, and refused where its parts do not fit each other."""

from dataclasses import replace
import json

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.broker import Broker
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.authority.hub_file import (
    HubFile,
    HubFileError,
    read_hub_file,
)
from custom_components.carbon_meter.community.authority.reasons import Reason


@pytest.fixture
def hub_file(authority, now) -> HubFile:
    key = keys.new_key()
    return HubFile(
        community="sunny-street",
        name="Sunny Street",
        broker=Broker(host="127.0.0.1", port=8883, enrol_port=8884),
        authorities=authority.bundle,
        authority_key=authority.key,
        certificate=authority.sign_hub(keys.csr_for(key, "x"), now=now),
        key=key,
    )


def reason(text: str, now: float) -> Reason:
    with pytest.raises(HubFileError) as caught:
        read_hub_file(text, now)
    return caught.value.reason


def test_what_is_written_is_read(hub_file, now) -> None:
    assert read_hub_file(hub_file.as_json(), now) == hub_file


def test_it_makes_the_same_authority_elsewhere(hub_file, authority, tmp_path, now) -> None:
    there = Authority.from_hub_file(hub_file, tmp_path / "hub")
    assert there.bundle == authority.bundle
    certificate = there.sign_client(keys.csr_for(keys.new_key(), "x"), "home_17", now=now)
    assert keys.is_signed(certificate, authority.bundle)
    there.revoke("home_17", now=now)
    again = Authority.from_hub_file(hub_file, tmp_path / "hub")
    assert again.revoke("home_17", now=now) == 0


def test_a_rotated_authority_takes_the_place_of_the_one_before(
    hub_file, authority, tmp_path, now
) -> None:
    Authority.from_hub_file(hub_file, tmp_path / "hub")
    later = authority.rotate(now=now)
    rotated = replace(
        hub_file,
        authorities=later.bundle,
        authority_key=later.key,
        certificate=later.sign_hub(keys.csr_for(hub_file.key, "x"), now=now),
    )
    assert read_hub_file(rotated.as_json(), now) == rotated
    there = Authority.from_hub_file(rotated, tmp_path / "hub")
    assert there.bundle == later.bundle
    assert there.is_rotating
    finished = replace(rotated, authorities=later.finish().bundle)
    assert not Authority.from_hub_file(finished, tmp_path / "hub").is_rotating


@pytest.mark.parametrize(
    "text", ["", "hello", "{}", '{"v": 1, "type": "carbon-meter invitation"}', "[" * 10_000]
)
def test_something_else_is_something_else(text, now) -> None:
    assert reason(text, now) is Reason.ANOTHER


def test_a_file_that_is_cut_is_damaged(hub_file, now) -> None:
    assert reason(hub_file.as_json()[:1500], now) is Reason.DAMAGED


def test_a_file_of_a_later_version_says_so(hub_file, now) -> None:
    assert reason(json.dumps(json.loads(hub_file.as_json()) | {"v": 2}), now) is Reason.VERSION


def test_certificates_that_have_ended_say_so(hub_file, now) -> None:
    assert reason(hub_file.as_json(), now + 366 * DAY) is Reason.EXPIRED


@pytest.mark.parametrize(
    "field", ["authorities", "authority_key", "certificate", "key", "community", "name", "broker"]
)
def test_every_part_is_needed(hub_file, now, field) -> None:
    for value in (None, "", "garbage #", 7):
        damaged = json.loads(hub_file.as_json()) | {field: value}
        if (field, value) != ("name", "garbage #"):
            assert reason(json.dumps(damaged), now) is Reason.DAMAGED


def test_parts_of_two_communities_do_not_fit(hub_file, authority, tmp_path, now) -> None:
    other = Authority.create(tmp_path / "other", "Other", now=now)
    home = authority.sign_client(keys.csr_for(hub_file.key, "x"), "home_17", now=now)
    for change in (
        {"authorities": other.bundle},
        {"authority_key": other.key},
        {"authorities": other.bundle, "authority_key": other.key},
        {"key": keys.new_key()},
        {"certificate": home},
    ):
        assert reason(replace(hub_file, **change).as_json(), now) is Reason.DAMAGED
