"""Which meter has a web page: what is asked, how often, and what is claimed."""

import json
import socket

from aiohttp import web
import pytest

from custom_components.carbon_meter.metering.errors import (
    MeterAuthError,
    MeterRefusedError,
    MeterSilentError,
)
from custom_components.carbon_meter.metering.json import identification, remembering
from custom_components.carbon_meter.metering.json.identification import (
    identify_http,
    read_page_as,
    text_of,
)
from custom_components.carbon_meter.metering.json.web import Credentials
from tests.metering.json.conftest import NOW

KNOWN = Credentials(username="admin", password="secret", token="token")
SHELLY = {"id": "x", "mac": "AABBCCDDEEFF", "model": "SPEM-002CEBEU50", "gen": 2, "auth_en": True}


@pytest.fixture
def find(session, profiles):
    async def found(served, **given):
        return await identify_http(
            session, "127.0.0.1", served.port, profiles.values(), clock=lambda: NOW, **given
        )

    return found


@pytest.mark.parametrize(
    "body",
    [
        "<html><title>Router</title></html>",
        "{}",
        "[]",
        "null",
        '{"status": "ok"}',
        '{"type": "SHSW-1", "product_type": 7, "values": [], "actual": []}',
        '{"power": "on", "serial": "1", "mac": "x", "SN": "y", "gen": 1}',
    ],
)
async def test_a_page_that_is_no_meter_is_no_candidate(device, find, profiles, body) -> None:
    pages = {each.probe.path: body for each in profiles.values() if each.probe is not None}
    served = await device(pages | {"/": body})
    found = await find(served)
    assert found.candidates == ()
    assert len(served.requests) == len(set(served.requests)) <= 25
    if body.startswith("{") and len(body) > 2:
        assert any(body[2:6] in seen for seen in found.seen)


async def test_a_page_that_looks_like_a_meter_but_holds_no_values(device, find) -> None:
    served = await device({"/shelly": json.dumps({"type": "SHEM", "mac": "1"}), "/status": "{}"})
    assert (await find(served)).candidates == ()


async def test_a_proved_family_ends_the_search(device, find) -> None:
    registers = [{"obis": "01-00:01.08.00*ff", "value": 5, "unit": "kWh"}]
    page = {
        "__typename": "iometer.reading.v1",
        "meter": {"number": "7", "reading": {"registers": registers}},
    }
    served = await device(
        {"/v1/reading": json.dumps(page), "/v1/json": '{"power": 5, "energyCounterIn": 5}'}
    )
    found = await find(served)
    assert [each.profile.id for each in found.candidates] == ["iometer"]
    assert found.candidates[0].serial == "7"
    assert dict(found.candidates[0].reading.values) == {"energy_import": 5000}
    assert "/v1/json" not in served.requests


async def test_what_is_only_likely_is_not_certain(device, find) -> None:
    served = await device({"/v1/json": '{"power": 5, "energyCounterIn": 5}'})
    (candidate,) = (await find(served)).candidates
    assert not candidate.certain
    assert candidate.reading.time == NOW


async def test_channels_of_a_device(device, find) -> None:
    status = {
        "em1:0": {"act_power": 1},
        "em1data:0": {"total_act_energy": 10},
        "em1:1": {"act_power": 2},
        "em1data:1": {"total_act_energy": 20},
        "switch:0": {"output": True},
    }
    pages = {"/shelly": json.dumps(SHELLY), "/rpc/Shelly.GetStatus": json.dumps(status)}
    served = await device(pages)
    found = await find(served)
    assert [(each.profile.id, each.settings, each.serial) for each in found.candidates] == [
        ("shelly_em_mono", {"channel": 0}, "AABBCCDDEEFF"),
        ("shelly_em_mono", {"channel": 1}, "AABBCCDDEEFF"),
    ]
    assert [dict(each.reading.values) for each in found.candidates] == [
        {"power": 1, "energy_import": 10},
        {"power": 2, "energy_import": 20},
    ]
    assert len(served.requests) == len(set(served.requests))


async def test_a_clamp_that_is_not_valid_hides_no_other(device, find) -> None:
    emeters = [
        {"power": 1, "is_valid": False, "total": 5},
        {"power": 2, "is_valid": True, "total": 6},
    ]
    status = json.dumps({"emeters": emeters})
    served = await device({"/shelly": '{"type": "SHEM", "mac": "1"}', "/status": status})
    found = await find(served)
    assert [each.settings for each in found.candidates] == [{"channel": 1}]
    assert any("not valid" in seen for seen in found.seen)


async def test_names_that_mean_more_than_themselves_are_left_out(device, find) -> None:
    series = {"series": [{"name": "a]&x=", "unit": "Watts"}, {"name": "'", "unit": "Watts"}]}
    served = await device({"/query?show=series": json.dumps(series)})
    assert (await find(served)).candidates == ()
    assert not any("x=" in path for path in served.requests)


async def test_series_that_people_gave_names(device, find) -> None:
    series = {"series": [{"name": "Heat pump", "unit": "Watts"}, {"name": "L1", "unit": "Volts"}]}
    served = await device(
        {
            "/query?show=series": json.dumps(series),
            "/query?select=[Heat%20pump.watts]&begin=s-10s&end=s&group=all": "[[250.5]]",
            "/query?select=[Heat%20pump.wh]&begin=y&end=s&group=all": "[[1234.5]]",
        }
    )
    (candidate,) = (await find(served)).candidates
    assert candidate.settings == {"series": "Heat pump"}
    assert dict(candidate.reading.values) == {"power": 250.5, "energy_import": 1234.5}


async def test_meters_behind_an_inverter(device, find) -> None:
    def data(meters: dict) -> str:
        return json.dumps({"Body": {"Data": meters}, "Head": {"Status": {"Code": 0}}})

    pages = {
        "/solar_api/GetAPIVersion.cgi": '{"APIVersion": 1, "BaseURL": "/solar_api/v1/"}',
        "/solar_api/v1/GetMeterRealtimeData.cgi?Scope=System": data(
            {
                "0": {"PowerReal_P_Sum": 5, "Details": {"Serial": "A"}},
                "3": {"PowerReal_P_Sum": 7, "Details": {"Serial": "B"}},
            }
        ),
    }
    served = await device(pages)
    found = await find(served)
    assert [each.settings for each in found.candidates] == [{"device": "0"}, {"device": "3"}]
    assert [each.reading.values["power"] for each in found.candidates] == [5, 7]
    assert [each.serial for each in found.candidates] == ["A", "B"]
    served.pages["/solar_api/v1/GetMeterRealtimeData.cgi?Scope=System"] = data({})
    assert (await find(served)).candidates == ()


async def test_a_known_device_with_a_password_names_what_it_wants(device, find) -> None:
    challenge = 'Digest qop="auth", realm="x", nonce="1", algorithm=SHA-256'
    locked = web.Response(status=401, headers={"WWW-Authenticate": challenge})
    served = await device({"/shelly": json.dumps(SHELLY), "/rpc/Shelly.GetStatus": locked})
    with pytest.raises(MeterAuthError, match="Shelly") as refused:
        await find(served)
    assert refused.value.kind == "digest"
    assert not any("Authorization" in headers for headers in served.headers)
    # Nothing more is asked of a device that is known.
    assert "/value" not in served.requests


async def test_a_password_goes_only_to_pages_that_ask_for_one(device, find) -> None:
    served = await device({"/value": web.Response(status=401)})
    with pytest.raises(MeterAuthError) as refused:
        await find(served, credentials=KNOWN)
    assert refused.value.kind == "api_key"
    told = [
        path
        for path, headers in zip(served.requests, served.headers, strict=True)
        if "Authorization" in headers or "X-API-KEY" in headers
    ]
    assert told == ["/value"]


async def test_a_tasmota_that_wants_a_password(device, find) -> None:
    warning = '{"WARNING": "Need user=<username>&password=<password>"}'
    energy = '{"StatusSNS": {"ENERGY": {"Power": 5, "Total": 1}}}'
    end = "&user=admin&password=secret"
    served = await device(
        {
            "/cm?cmnd=Module": warning,
            "/cm?cmnd=Status%208": warning,
            f"/cm?cmnd=Module{end}": '{"Module": {"1": "Sonoff Basic"}}',
            f"/cm?cmnd=Status%208{end}": energy,
        }
    )
    with pytest.raises(MeterAuthError) as refused:
        await find(served)
    assert refused.value.kind == "query"
    (candidate,) = (await find(served, credentials=KNOWN)).candidates
    assert candidate.model == "Sonoff Basic"
    assert candidate.reading.values["power"] == 5


async def test_nobody_is_there(session, profiles, socket_enabled) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(MeterRefusedError):
        await identify_http(session, "127.0.0.1", port, profiles.values())


async def test_two_silences_end_the_search(device, find, profiles, monkeypatch) -> None:
    monkeypatch.setattr(remembering, "PATIENCE", 0.5)
    served = await device({})
    served.pages |= {
        each.probe.path: served.silent for each in profiles.values() if each.probe is not None
    }
    with pytest.raises(MeterSilentError):
        await find(served)
    assert len(served.requests) == 2


async def test_a_search_does_not_last_for_ever(device, find, monkeypatch) -> None:
    monkeypatch.setattr(identification, "LONGEST", 0.1)
    served = await device({"/all": "{}"})
    served.pages["/api"] = served.silent
    found = await find(served)
    assert found.candidates == ()
    assert "given up after 0.1 s" in found.seen


async def test_a_chosen_family_is_read_without_being_proved(device, session, profiles) -> None:
    served = await device({"/v1/json": '{"power": 5}'})
    profile = profiles["everhome_ecotracker"]
    candidate = await read_page_as(session, served.url, profile, clock=lambda: NOW)
    assert not candidate.certain
    assert dict(candidate.reading.values) == {"power": 5}


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("x ", "x"),
        (7, "7"),
        (None, ""),
        (True, ""),
        ([], ""),
        (1.5, ""),
        ("n.a.", ""),
        ("y" * 200, "y" * 100),
    ],
)
def test_what_a_device_says_of_itself(raw, text) -> None:
    assert text_of(raw) == text


async def test_a_locked_device_is_called_by_its_maker_not_by_a_guess(device, find) -> None:
    locked = web.Response(status=401, headers={"WWW-Authenticate": 'Digest realm="x", nonce="1"'})
    page = {"gen": 2, "model": "SPEM-003CEBEU", "profile": "triphase", "mac": "AABBCCDDEEFF"}
    served = await device({"/shelly": json.dumps(page), "/rpc/Shelly.GetStatus": locked})
    with pytest.raises(MeterAuthError, match=r"^Shelly: "):
        await find(served)
