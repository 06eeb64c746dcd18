"""Reading pages over real HTTP: what goes wrong is named, what is not a number is none."""

import gzip
import json
import socket
import traceback

import aiohttp
from aiohttp import web
import pytest

from custom_components.carbon_meter.metering.errors import (
    MeterAuthError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from custom_components.carbon_meter.metering.json.meter import HttpJsonMeter
from custom_components.carbon_meter.metering.json.web import Credentials, Web
from tests.metering.json.conftest import NOW

PAGE = "/v1/json"
GOOD = '{"power": 125, "energyCounterIn": 145000.5, "energyCounterOut": 4500}'
VALUES = {"power": 125, "energy_import": 145000.5, "energy_export": 4500}


@pytest.fixture
def eco(session, profiles):
    """Return a reader of the simplest page there is."""

    def made(url: str, **given) -> HttpJsonMeter:
        return HttpJsonMeter(
            session, profiles["everhome_ecotracker"], base_url=url, clock=lambda: NOW, **given
        )

    return made


async def test_a_reading(device, eco) -> None:
    served = await device({PAGE: GOOD})
    meter = eco(served.url + "/")
    assert meter.absent == ()
    reading = await meter.read()
    assert (dict(reading.values), reading.time, reading.faults) == (VALUES, NOW, ())
    assert meter.requests == (PAGE,)
    assert set(meter.absent) == {"power_l1", "power_l2", "power_l3"}
    served.pages[PAGE] = '{"powerPhase1": 5}'
    await meter.read()
    assert set(meter.absent) == {"power_l2", "power_l3"}


@pytest.mark.parametrize("content_type", ["text/html", "text/plain", "application/octet-stream"])
async def test_the_content_type_does_not_matter(device, eco, content_type) -> None:
    served = await device({PAGE: GOOD})
    served.content_type = content_type
    assert (await eco(served.url).read()).values == VALUES


async def test_a_packed_page_is_unpacked(device, eco) -> None:
    packed = web.Response(body=gzip.compress(GOOD.encode()), headers={"Content-Encoding": "gzip"})
    served = await device({PAGE: packed})
    assert (await eco(served.url).read()).values == VALUES


@pytest.mark.parametrize(
    ("body", "values", "faulty"),
    [
        ('{"power": "125.5 W", "energyCounterIn": "1 kWh"}', [125.5, 1000], []),
        ('{"power": NaN, "energyCounterIn": Infinity}', [None, None], []),
        ('{"power": 1e999, "energyCounterIn": null}', [None, None], []),
        ('{"power": true, "energyCounterIn": false}', [None, None], ["power", "energy_import"]),
        ('{"power": {}, "energyCounterIn": [1]}', [None, None], ["power", "energy_import"]),
        ('{"power": 1e12, "energyCounterIn": -1}', [None, None], ["power", "energy_import"]),
        ('{"power": "12,5", "energyCounterIn": "x"}', [None, None], ["power", "energy_import"]),
        ('{"power": ' + "9" * 400 + "}", [None, None], ["power"]),
        ("{}", [None, None], []),
        ("[]", [None, None], []),
        ("null", [None, None], []),
        ('"power"', [None, None], []),
        ("17", [None, None], []),
    ],
)
async def test_what_a_page_may_hold(device, eco, body, values, faulty) -> None:
    served = await device({PAGE: body})
    reading = await eco(served.url).read()
    found = [reading.values.get(key) for key in ("power", "energy_import")]
    assert found == values
    assert [fault.quantity for fault in reading.faults] == faulty
    assert all(str(fault) for fault in reading.faults)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body>Login</body></html>",
        GOOD[:-10],
        "{" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"power": ' + "9" * 5000 + "}",
        json.dumps({"x": "y" * 1_000_100}),
    ],
)
async def test_a_page_that_is_none(device, eco, body) -> None:
    served = await device({PAGE: body})
    with pytest.raises(MeterGarbledError, match="/v1/json: "):
        await eco(served.url).read()


async def test_a_packed_page_does_not_grow_without_end(device, eco) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    served = await device({PAGE: web.Response(body=bomb, headers={"Content-Encoding": "gzip"})})
    with pytest.raises(MeterGarbledError, match="longer than 1 MB"):
        await eco(served.url).read()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, MeterRejectedError),
        (400, MeterRejectedError),
        (500, MeterRejectedError),
        (503, MeterRejectedError),
        (204, MeterRejectedError),
        (401, MeterAuthError),
        (403, MeterAuthError),
    ],
)
async def test_a_status_that_is_no_answer(device, eco, status, error) -> None:
    served = await device({PAGE: web.Response(status=status, body=GOOD.encode())})
    with pytest.raises(error, match=f"HTTP {status}"):
        await eco(served.url).read()


async def test_nobody_is_there(eco, socket_enabled) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(MeterRefusedError):
        await eco(f"http://127.0.0.1:{port}").read()
    with pytest.raises(MeterUnreachableError):
        await eco("http://no-such-host.invalid").read()


async def test_a_device_that_says_nothing(device, eco, session) -> None:
    served = await device({})
    served.pages[PAGE] = served.silent
    web_ = Web(session, served.url, patience=0.1)
    with pytest.raises(MeterSilentError, match="no answer in time"):
        await eco(served.url, web=web_).read()


async def test_a_page_that_moved_within_the_device(device, eco) -> None:
    served = await device({"/new": GOOD})
    served.pages[PAGE] = web.Response(status=302, headers={"Location": "/new"})
    assert (await eco(served.url).read()).values == VALUES


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/new", "https://127.0.0.1/", "//other/x"])
async def test_a_page_elsewhere_is_not_asked_for(device, eco, target) -> None:
    served = await device({PAGE: web.Response(status=302, headers={"Location": target})})
    with pytest.raises(MeterGarbledError, match="leads to another address"):
        await eco(served.url, credentials=Credentials(username="a", password="b")).read()


async def test_a_page_that_leads_in_circles(device, eco) -> None:
    served = await device({PAGE: web.Response(status=307, headers={"Location": PAGE})})
    with pytest.raises(MeterGarbledError, match="in circles"):
        await eco(served.url).read()
    assert len(served.requests) == 4


async def test_a_password_is_not_told_to_who_asks_for_less_safety(
    device, session, profiles
) -> None:
    challenge = web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    served = await device({"/rpc/Shelly.GetStatus": challenge})
    meter = HttpJsonMeter(
        session,
        profiles["shelly_pm_switch"],
        base_url=served.url,
        credentials=Credentials(password="secret"),
    )
    with pytest.raises(MeterAuthError):
        await meter.read()
    assert not any("Authorization" in headers for headers in served.headers)


async def test_a_device_may_want_more_safety_than_its_profile_knows(
    device, session, profiles
) -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        seen.append(given.split(" ")[0])
        if given.startswith("Digest"):
            return web.Response(text='{"emeters": [{"power": 5, "is_valid": true}]}')
        challenge = 'Digest realm="x", nonce="y", qop="auth", algorithm=SHA-256'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    served = await device({"/status": answer})
    meter = HttpJsonMeter(
        session,
        profiles["shelly_gen1_em"],
        base_url=served.url,
        credentials=Credentials(username="admin", password="secret"),
    )
    assert (await meter.read()).values == {"power": 5}
    assert (await meter.read()).values == {"power": 5}
    assert seen[0] == "Basic"
    assert seen[-1] == "Digest"

    async def less_safe(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", "").split(" ")[0])
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    served.pages["/status"] = less_safe
    seen.clear()
    with pytest.raises(MeterAuthError):
        await meter.read()
    assert "Basic" not in seen


async def test_pages_that_do_not_exist_are_not_asked_for_again(device, session, profiles) -> None:
    served = await device({"/e": '[{"pwr": 100, "p1": 1, "p2": 2, "n1": 0, "n2": 0}]'})
    meter = HttpJsonMeter(session, profiles["youless_ls110_120"], base_url=served.url)
    assert meter.requests == ("/e", "/f")
    assert (await meter.read()).values == {"power": 100, "energy_import": 3000, "energy_export": 0}
    assert meter.requests == ("/e",)
    assert {"voltage_l1", "power_l3"} <= set(meter.absent)
    served.requests.clear()
    await meter.read()
    assert served.requests == ["/e"]


async def test_a_page_in_trouble_is_asked_for_again(device, session, profiles) -> None:
    served = await device(
        {
            "/e": '[{"pwr": 100, "p1": 1, "p2": 2}]',
            "/f": web.Response(status=503),
        }
    )
    meter = HttpJsonMeter(session, profiles["youless_ls110_120"], base_url=served.url)
    assert "voltage_l1" not in (await meter.read()).values
    served.pages["/f"] = '{"v1": 230}'
    assert (await meter.read()).values["voltage_l1"] == 230


async def test_a_page_without_which_nothing_can_be_read(device, session, profiles) -> None:
    served = await device({"/f": '{"v1": 230}'})
    meter = HttpJsonMeter(session, profiles["youless_ls110_120"], base_url=served.url)
    with pytest.raises(MeterRejectedError, match="/e: there is no such page"):
        await meter.read()


async def test_names_of_pages_that_have_changed(device, session, profiles) -> None:
    served = await device(
        {
            "/sensor/Power%20Consumed": '{"id":"a","value":0.417,"state":"0.417 kW"}',
            "/sensor/power_produced": '{"id":"b","value":0,"state":"0 W"}',
            "/sensor/energy_delivered_tariff1": '{"id":"c","value":1,"state":"1 kWh"}',
            "/sensor/energy_delivered_tariff2": '{"id":"c","value":null,"state":"NA"}',
            "/sensor/voltage_phase_1": '{"id":"c","value":231.5}',
        }
    )
    meter = HttpJsonMeter(session, profiles["slimmelezer_esphome"], base_url=served.url)
    assert (await meter.read()).values == {"power": 417, "voltage_l1": 231.5}
    assert len(meter.requests) == 5
    served.requests.clear()
    await meter.read()
    assert len(served.requests) == 5
    # An update of the device changes them once more.
    served.pages["/sensor/power_consumed"] = served.pages.pop("/sensor/Power%20Consumed")
    with pytest.raises(MeterRejectedError, match="Power"):
        await meter.read()
    assert (await meter.read()).values == {"power": 417, "voltage_l1": 231.5}


async def test_values_that_the_device_calls_invalid(device, session, profiles) -> None:
    page = {"state": "P1_NO_DATA", "power_total": 5, "power_consumed_tariff1": 1}
    served = await device({"/api/v2/p1/details": json.dumps(page)})
    meter = HttpJsonMeter(session, profiles["sessy_p1"], base_url=served.url)
    with pytest.raises(MeterGarbledError, match="not valid"):
        await meter.read()


async def test_a_clamp_that_is_not_valid_makes_no_total(device, session, profiles) -> None:
    valid = {"power": 100.0, "voltage": 230.0, "is_valid": True, "total": 5.0}
    page = {"emeters": [valid, valid, valid | {"is_valid": False}], "total_power": 300.0}
    served = await device({"/status": json.dumps(page)})
    meter = HttpJsonMeter(session, profiles["shelly_gen1_3em"], base_url=served.url)
    values = (await meter.read()).values
    assert {"power_l1", "power_l2", "energy_import_l1"} <= values.keys()
    assert not {"power", "power_l3", "energy_import", "energy_import_l3"} & values.keys()


async def test_a_return_counter_that_is_not_known_makes_no_import(
    device, session, profiles
) -> None:
    page = {"switch:0": {"apower": 5, "aenergy": {"total": 100}, "ret_aenergy": {"total": None}}}
    served = await device({"/rpc/Shelly.GetStatus": json.dumps(page)})
    meter = HttpJsonMeter(session, profiles["shelly_pm_switch"], base_url=served.url)
    assert (await meter.read()).values == {"power": 5, "energy_total": 100}


async def test_a_device_with_a_password_that_must_be_posted(device, session, profiles) -> None:
    start = {"serial": "1", "app_version": "2.04", "authentication": False}
    served = await device(
        {"/start.php": json.dumps(start), "/mum-webservice/data.php": '{"authentication":false}'}
    )
    meter = HttpJsonMeter(session, profiles["tq_bcontrol_http"], base_url=served.url)
    with pytest.raises(MeterAuthError) as refused:
        await meter.read()
    assert refused.value.kind == "session"


async def test_the_cookie_of_the_first_page_opens_the_second(device, profiles) -> None:
    async def start(_request: web.Request) -> web.Response:
        response = web.Response(text='{"serial": "1", "authentication": true}')
        response.set_cookie("PHPSESSID", "abc")
        return response

    async def data(request: web.Request) -> web.Response:
        known = request.cookies.get("PHPSESSID") == "abc"
        return web.Response(
            text='{"1-0:1.8.0*255": 5, "status": 0}' if known else '{"status": 901}'
        )

    served = await device({"/start.php": start, "/mum-webservice/data.php": data})
    # As Home Assistant's: what one device sets is not kept for others.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        meter = HttpJsonMeter(session, profiles["tq_bcontrol_http"], base_url=served.url)
        assert (await meter.read()).values == {"energy_import": 5}


async def test_a_certificate_that_nobody_vouches_for(device, session, profiles, tls, eco) -> None:
    served = await device({PAGE: GOOD, "/api/measurement": '{"power_w": 5}'}, context=tls)
    with pytest.raises(MeterUnreachableError):
        await eco(served.url).read()
    meter = HttpJsonMeter(session, profiles["homewizard_v2"], base_url=served.url)
    assert (await meter.read()).values == {"power": 5}
    assert served.headers[-1]["X-Api-Version"] == "2"


@pytest.mark.parametrize(
    ("url", "settings", "message"),
    [
        ("ftp://x", {}, "not the address of a device"),
        ("x", {}, "not the address of a device"),
        ("http://user:pw@x", {}, "not the address of a device"),
        ("http://x", {"channel": 1}, "has no setting 'channel'"),
    ],
)
def test_what_cannot_be_read(eco, url, settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        eco(url, settings=settings)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Credentials(username="a", password="secret", token="secret"))


@pytest.mark.parametrize("answer", ["garbled", "moved"])
async def test_a_password_in_the_address_is_in_no_error(device, session, profiles, answer) -> None:
    async def garbled(request: web.Request) -> web.StreamResponse:
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")
        await served.hang.wait()
        return web.Response()

    async def moved(request: web.Request) -> web.Response:
        target = f"https://127.0.0.1{request.raw_path}"
        return web.Response(status=301, headers={"Location": target})

    signed = "/cm?cmnd=Status%208&user=admin&password=s3cret"
    served = await device({signed: garbled if answer == "garbled" else moved})
    meter = HttpJsonMeter(
        session,
        profiles["tasmota_http"],
        base_url=served.url,
        credentials=Credentials(username="admin", password="s3cret"),
    )
    with pytest.raises(MeterGarbledError) as failed:
        await meter.read()
    shown = "".join(traceback.format_exception(failed.value))
    assert served.requests == [signed]
    assert "s3cret" not in shown
