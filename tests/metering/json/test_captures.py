"""Captured pages of real devices, served over HTTP exactly as they were captured."""

from pathlib import Path

import pytest
import yaml

from custom_components.carbon_meter.metering.json.identification import identify_http
from custom_components.carbon_meter.metering.json.meter import HttpJsonMeter
from custom_components.carbon_meter.metering.json.web import Credentials
from tests.metering.json.conftest import NOW

PAYLOADS = Path(__file__).parents[2] / "fixtures" / "payloads"
KNOWN = Credentials(username="admin", password="secret", token="token")


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.yaml")))
async def test_a_real_device_is_identified_and_read_exactly(
    name, device, session, profiles, tls
) -> None:
    capture = yaml.safe_load((PAYLOADS / f"{name}.yaml").read_text())
    profile = profiles[capture["profile"]]
    secure = profile.scheme == "https"
    served = await device(capture["pages"], context=tls if secure else None)

    found = await identify_http(
        session,
        "127.0.0.1",
        served.port,
        profiles.values(),
        scheme=profile.scheme,
        credentials=KNOWN,
        clock=lambda: NOW,
    )

    assert len(served.requests) == len(set(served.requests)), "a page was asked for twice"
    assert {candidate.profile.id for candidate in found.candidates} == {profile.id}
    assert len(found.candidates) == capture.get("channels", 1)
    (best,) = [
        candidate
        for candidate in found.candidates
        if candidate.settings == capture.get("settings", {})
    ]
    for key in ("manufacturer", "model", "serial"):
        if key in capture:
            assert getattr(best, key) == capture[key]
    assert best.certain == profile.probe.certain
    assert best.reading.time == NOW
    check(best.reading, capture)

    meter = HttpJsonMeter(session, profile, base_url=served.url, settings=best.settings)
    check(await meter.read(), capture)
    served.requests.clear()
    check(await meter.read(), capture)
    assert tuple(served.requests) == meter.requests
    absent = set(capture.get("absent", ())) & set(profile.quantities)
    assert absent <= set(meter.absent)


def check(reading, capture) -> None:
    assert {key: reading.values.get(key) for key in capture["values"]} == capture["values"]
    assert not set(capture.get("absent", ())) & set(reading.values)
    assert reading.faults == ()


def test_there_are_enough_of_them() -> None:
    captures = [yaml.safe_load(path.read_text()) for path in PAYLOADS.glob("*.yaml")]
    assert len(captures) >= 12
    assert all(capture["source"] for capture in captures)
