"""Everything that goes wrong at a provider: a clear error, and what was told before stands."""

from dataclasses import replace
from email.utils import formatdate
import gzip
import json

from aiohttp import web
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS, open_source
from custom_components.carbon_meter.carbon.intensity.live.errors import (
    LONGEST_WAIT,
    ProviderAuthError,
    ProviderChangedError,
    ProviderError,
    ProviderLimitedError,
    ProviderPlanError,
    ProviderTemporaryError,
    ProviderZoneError,
)
from custom_components.carbon_meter.carbon.intensity.live.provider import Access
from tests.carbon.intensity.live.conftest import Opens, T, VirtualTime
from tests.carbon.intensity.provider_server import KEY, ProviderServer, level, saying

HOUR, DAY = 3600.0, 86400.0
every = pytest.mark.parametrize("key", list(PROVIDERS))

TEMPORARY = {
    "an error of the server": saying(500),
    "a gateway": saying(502, "<html>Bad gateway</html>"),
    "maintenance": saying(503, Retry_After="120"),
    "a page for people": saying(200, "<html><body>We will be back soon</body></html>"),
    "nothing": saying(200, ""),
    "half of a document": saying(200, '{"data": [{"from": "2026-'),
    "no text": saying(200, "\x00\x01\x02"),
    "brackets without end": saying(200, "[" * 200_000),
    "a number without end": saying(200, "9" * 20_000),
}


@every
@pytest.mark.parametrize("trouble", TEMPORARY.values(), ids=TEMPORARY)
async def test_trouble_that_passes(key, trouble, opens: Opens, server: ProviderServer) -> None:
    source = opens(key)
    await source.refresh()
    window = T - 5 * HOUR, T + 5 * HOUR
    before = list(source.intervals(*window))
    server.trouble = trouble
    with pytest.raises(ProviderTemporaryError, match="asked again by itself") as caught:
        await source.refresh()

    assert PROVIDERS[key].name in str(caught.value)
    assert caught.value.retry_after is not None
    assert source.refresh_after >= 10
    assert source.intervals(*window) == before


@every
async def test_null(key, opens: Opens, server: ProviderServer) -> None:
    source = opens(key)
    server.trouble = saying(200, "null")
    # For NESO's regions that is how a postcode is answered that is not known.
    expected = ProviderZoneError if key == "neso_regional" else ProviderTemporaryError
    with pytest.raises(expected):
        await source.refresh()
    assert source.refresh_after > 0


@every
@pytest.mark.parametrize(
    "document",
    [
        "[]",
        "{}",
        "17",
        '"text"',
        '{"data": 5, "records": 5, "results": 5, "history": 5, "token": 5, "response": 5}',
        '{"data": {"a": 1}, "records": {}, "results": {}, "history": {}, "unix_seconds": {}}',
        (
            '{"data": [5], "records": [5], "results": [5], "history": [5], "hydra:member": [5], '
            '"response": {"data": [5]}, "unix_seconds": [1], "co2eq": [], "co2eq_forecast": []}'
        ),
        '{"error": "no such thing"}',
    ],
)
async def test_another_shape(key, document, opens: Opens, server: ProviderServer) -> None:
    source = opens(key)
    server.trouble = saying(200, document)
    with pytest.raises(ProviderError) as caught:
        await source.refresh()

    # XML is expected of ENTSO-E: JSON cannot be read at all.
    kind = ProviderTemporaryError if key == "entsoe" else ProviderChangedError
    assert type(caught.value) is kind
    assert source.intervals(0, T + DAY) == []


@every
async def test_silence(key, opens: Opens, surroundings, server: ProviderServer) -> None:
    server.trouble = server.silence
    access = opens(key)._access
    impatient = replace(surroundings, patience=0.2)
    source = open_source(key, access, impatient, base_url=server.url)
    with pytest.raises(ProviderTemporaryError, match="no answer in time"):
        await source.refresh()


@every
async def test_half_a_body(key, opens: Opens, server: ProviderServer) -> None:
    server.trouble = server.half
    with pytest.raises(ProviderTemporaryError, match="cut off"):
        await opens(key).refresh()


@every
async def test_a_closed_connection(key, opens: Opens, server: ProviderServer) -> None:
    server.trouble = server.hang_up
    with pytest.raises(ProviderTemporaryError, match="closed instead of an answer"):
        await opens(key).refresh()


async def test_nobody_there(surroundings) -> None:
    source = open_source("neso", Access(), surroundings, base_url="http://127.0.0.1:9")
    with pytest.raises(ProviderTemporaryError, match="no connection"):
        await source.refresh()


@every
async def test_a_wrong_key(key, opens: Opens, server: ProviderServer) -> None:
    source = opens(key)
    server.trouble = saying(401, json.dumps({"message": f"{KEY} is unknown"}))
    with pytest.raises(ProviderAuthError, match="Enter a valid key") as caught:
        await source.refresh()

    assert KEY not in str(caught.value)
    assert caught.value.reason == "auth"


@pytest.mark.parametrize("key", ["neso", "watttime", "electricity_maps", "entsoe"])
async def test_a_plan_that_does_not_include_the_zone(
    key, opens: Opens, server: ProviderServer
) -> None:
    source = opens(key)

    async def forbidden(request: web.Request) -> web.Response | None:
        return None if request.path == "/login" else web.json_response({}, status=403)

    server.trouble = forbidden
    with pytest.raises(ProviderPlanError, match="your plan includes"):
        await source.refresh()


@every
@pytest.mark.parametrize("status", [404, 410, 422])
async def test_a_zone_that_is_not_known(key, status, opens: Opens, server: ProviderServer) -> None:
    server.trouble = saying(status)
    with pytest.raises(ProviderZoneError, match="Choose another zone"):
        await opens(key).refresh()


@every
async def test_too_many_requests(
    key, opens: Opens, server: ProviderServer, time: VirtualTime
) -> None:
    source = opens(key)
    server.trouble = saying(429, Retry_After="345")
    with pytest.raises(ProviderLimitedError) as caught:
        await source.refresh()
    asked = len(server.requests)

    assert caught.value.retry_after == 345
    assert source.refresh_after == 345
    # Whoever asks before the time asks nobody.
    server.trouble = None
    time.advance(200)
    with pytest.raises(ProviderLimitedError, match="asked again in 145 s only"):
        await source.refresh()
    assert len(server.requests) == asked
    time.advance(145)
    await source.refresh()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 900),
        ("0", 0),
        ("1e9", 900),
        ("-5", 900),
        ("soon", 900),
        ("Wed, 99 Foo 2026 00:00:00 GMT", 900),
        ("9" * 9, LONGEST_WAIT),
        (formatdate(T + 90, usegmt=True), 90),
        (formatdate(T - 90, usegmt=True), 0),
    ],
)
async def test_how_long_to_wait(header, seconds, opens: Opens, server: ProviderServer) -> None:
    server.trouble = saying(429, **({} if header is None else {"Retry_After": header}))
    with pytest.raises(ProviderLimitedError) as caught:
        await opens("neso").refresh()

    assert caught.value.retry_after == seconds


async def test_a_date_to_wait_for_counts_by_the_clock_of_the_server(
    opens: Opens, server: ProviderServer
) -> None:
    server.skew = -7200
    server.trouble = saying(429, Retry_After=formatdate(T - 7200 + 60, usegmt=True))
    with pytest.raises(ProviderLimitedError) as caught:
        await opens("neso").refresh()

    assert caught.value.retry_after == 60


@every
@pytest.mark.parametrize("trouble", [saying(500), saying(200, "<html>Soon back")])
async def test_a_provider_in_trouble_is_asked_less_and_less(
    key, trouble, opens: Opens, server: ProviderServer, time: VirtualTime
) -> None:
    source = opens(key)
    server.trouble = trouble
    waits = []
    for _ in range(9):
        with pytest.raises(ProviderTemporaryError) as caught:
            await source.refresh()
        waits.append(caught.value.retry_after)
        time.advance(max(waits[-1], source.refresh_after))

    for index, wait in enumerate(waits):
        whole = min(3600.0, 30.0 * 2**index)
        assert whole / 2 <= wait <= whole
    server.trouble = None
    await source.refresh()
    assert source.refresh_after == pytest.approx(PROVIDERS[key].refresh)


@every
async def test_no_redirect_to_another_host(
    key, opens: Opens, server: ProviderServer, surroundings
) -> None:
    elsewhere = server.url.replace("127.0.0.1", "localhost")

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": elsewhere + request.path_qs})

    server.trouble = away
    with pytest.raises(ProviderChangedError, match="leads to another address"):
        await opens(key).refresh()
    assert len(server.requests) == 1


@every
async def test_redirects_without_end(key, opens: Opens, server: ProviderServer) -> None:
    async def circle(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.path_qs})

    server.trouble = circle
    with pytest.raises(ProviderChangedError, match="leads in circles"):
        await opens(key).refresh()


async def test_a_redirect_to_a_page_that_is_there(opens: Opens, server: ProviderServer) -> None:
    async def moved(request: web.Request) -> web.Response | None:
        if request.path.startswith("/dataset/") and "moved" not in request.query:
            target = f"{request.path_qs}&moved=1"
            return web.Response(status=308, headers={"Location": target})
        return None

    server.trouble = moved
    source = opens("energinet")
    await source.refresh()
    assert source.intervals(T - 7200, T - 6900)[0].value == level(T - 7200)


async def test_an_answer_without_end(opens: Opens, server: ProviderServer) -> None:
    # 20 MB of blanks are 20 kB on the wire.
    body = gzip.compress(b" " * 20_000_000)

    async def bomb(request: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    server.trouble = bomb
    with pytest.raises(ProviderError) as caught:
        await opens("neso").refresh()
    assert isinstance(caught.value, ProviderChangedError | ProviderTemporaryError)


async def test_a_status_that_nobody_foresaw(opens: Opens, server: ProviderServer) -> None:
    server.trouble = saying(418, json.dumps({"error": {"message": "I am a\nteapot"}}))
    with pytest.raises(ProviderChangedError, match=r"HTTP 418 \(I am a teapot\)"):
        await opens("neso").refresh()


@pytest.mark.parametrize("skew", [-90_000.0, -300.0, 300.0, 90_000.0])
async def test_clocks_that_differ_are_told(skew, opens: Opens, server: ProviderServer) -> None:
    server.skew = skew
    source = opens("energinet")
    assert source.clock_skew is None
    await source.refresh()

    assert source.clock_skew == pytest.approx(skew, abs=1)


async def test_a_small_difference_is_none(opens: Opens, server: ProviderServer) -> None:
    server.skew = 30
    source = opens("energinet")
    await source.refresh()
    assert source.clock_skew is None


async def test_what_is_measured_of_a_time_that_has_not_begun_is_a_forecast(
    opens: Opens, server: ProviderServer
) -> None:
    async def prophecy(request: web.Request) -> web.Response:
        record = {"PriceArea": "DK1", "CO2Emission": 77}
        texts = ("2026-09-21T19:50:00", "2026-09-21T21:00:00")
        records = [record | {"Minutes5UTC": text} for text in texts]
        return web.json_response({"records": records})

    server.trouble = prophecy
    source = opens("energinet")
    await source.refresh()

    assert source.intervals(T - 600, T - 300)[0].grade is Grade.MEASURED
    assert source.intervals(T + 3600, T + 3900)[0].grade is Grade.FORECAST


async def test_a_clock_of_ours_that_is_behind_does_not_make_it_one(
    opens: Opens, server: ProviderServer, time: VirtualTime
) -> None:
    time.wall = T - 2 * HOUR
    source = opens("energy_charts")
    await source.refresh()
    told = source.intervals(T - HOUR, T - HOUR + 900)

    assert [each.grade for each in told] == [Grade.MEASURED]


async def test_a_forecast_that_fails_does_not_cost_what_was_measured(
    opens: Opens, server: ProviderServer
) -> None:
    async def no_forecast(request: web.Request) -> web.Response | None:
        return web.Response(status=500) if "CO2EmisProg" in request.path else None

    server.trouble = no_forecast
    source = opens("energinet")
    with pytest.raises(ProviderTemporaryError):
        await source.refresh()

    assert source.intervals(T - 7200, T - 6900)[0].value == level(T - 7200)
