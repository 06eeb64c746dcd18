"""Live providers of a site: asked in the background, and what the user is told of them."""

import asyncio
from typing import Any

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.sources.opening import DATA_BASE_URLS, DATA_PATIENCE
from tests.carbon.intensity.provider_server import (
    KEY,
    PASSWORD,
    USER,
    ProviderServer,
    level,
    saying,
    served,
)
from tests.sources.conftest import MAPS, MORNING, NESO, Grid

T = MORNING.timestamp()
HOUR = 3600.0


async def test_first_answer_is_not_waited_for(grid: Grid) -> None:
    entered = asyncio.Event()

    async def slow(request: web.Request) -> None:
        entered.set()
        await grid.server.hang.wait()

    grid.server.trouble = slow
    grid.site.entry = MockConfigEntry(domain=DOMAIN, options={"zone": "GB", "sources": [NESO]})
    grid.site.entry.add_to_hass(grid.hass)
    assert await grid.hass.config_entries.async_setup(grid.site.entry.entry_id)
    await entered.wait()
    assert grid.intensity.now().grade is Grade.YEARLY
    grid.server.hang.set()
    await grid.site.settle()
    assert grid.intensity.now().value == level(T) + 10


async def test_measured_past_and_forecast(grid: Grid) -> None:
    await grid.open(NESO)
    past = grid.intensity.ladder.at(T - 900)
    assert (past.value, past.grade, past.source) == (level(T - 1800), Grade.MEASURED, "neso:GB")
    ahead = grid.intensity.ladder.at(T + 40 * HOUR)
    assert (ahead.value, ahead.grade) == (level(T + 40 * HOUR) + 10, Grade.FORECAST)
    assert "NESO" in grid.intensity.info("neso:GB").name
    assert grid.issues() == {}


async def test_asked_again_when_it_is_time_and_listeners_are_called(grid: Grid) -> None:
    await grid.open(NESO)
    heard: list[int] = []
    stop = grid.intensity.async_add_listener(lambda: heard.append(len(grid.server.requests)))
    asked = len(grid.server.requests)
    await grid.advance(14 * 60, step=14 * 60)
    before = [path for path in grid.server.requests[asked:] if "fw48h" in path]
    await grid.advance(120)
    after = [path for path in grid.server.requests[asked:] if "fw48h" in path]
    assert (len(before), len(after)) == (0, 1)
    assert heard
    stop()


async def test_figure_of_the_mix_names_its_factors(grid: Grid) -> None:
    source = {"kind": "live", "provider": "entsoe", "zone": "10YNL----------L", "key": KEY}
    await grid.open(source)
    interval = grid.intensity.ladder.at(T - 1800)
    assert interval.source == "entsoe:10YNL----------L:generation_life_cycle"
    assert grid.intensity.info(interval.source).attribution == "ENTSO-E Transparency Platform"


async def test_pounds_per_megawatt_hour_of_the_marginal_source(grid: Grid) -> None:
    marginal = {
        "kind": "live",
        "provider": "watttime",
        "zone": "CAISO_NORTH",
        "username": USER,
        "password": PASSWORD,
    }
    await grid.open(NESO, marginal=marginal)
    found = grid.intensity.marginal.at(T - 900)
    assert found.value == pytest.approx(level(T - 900) * 0.45359237)
    assert grid.intensity.marginal_info.kind == "marginal"
    assert grid.intensity.info(found.source) == grid.intensity.marginal_info
    assert "watttime" not in grid.intensity.ladder.at(T - 900).source
    await grid.restart()
    grid.server.trouble = saying(500)
    assert grid.intensity.marginal.at(T - 900) == found


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {
                "sources": [
                    {
                        "kind": "live",
                        "provider": "watttime",
                        "zone": "CAISO_NORTH",
                        "username": USER,
                        "password": PASSWORD,
                    }
                ]
            },
            "marginal, not average",
        ),
        ({"sources": [], "marginal": NESO}, "average, not marginal"),
    ],
)
async def test_average_and_marginal_are_never_mixed(
    grid: Grid, options: dict[str, Any], text: str
) -> None:
    await grid.site.open((), options={"zone": "GB", **options})
    assert text in grid.issues()["intensity_source_invalid"]["error"]
    assert grid.intensity.now().grade is Grade.YEARLY
    if grid.intensity.marginal is not None:
        assert grid.intensity.marginal.at(T) is None
    assert grid.server.requests == []


async def test_refused_key_asks_for_another_exactly_once(
    grid: Grid, caplog: pytest.LogCaptureFixture
) -> None:
    await grid.open({**MAPS, "key": "old"})
    assert len(grid.reauths()) == 1
    assert grid.intensity.now().grade is Grade.YEARLY
    await grid.advance(30 * HOUR, step=HOUR)
    assert len(grid.reauths()) == 1
    assert len(grid.server.requests) >= 4
    assert caplog.text.count("Electricity Maps: FR: ") == 1
    assert grid.issues() == {}
    # Whoever closes the dialogue is not asked again and again.
    grid.hass.config_entries.flow.async_abort(grid.reauths()[0]["flow_id"])
    await grid.advance(13 * HOUR, step=HOUR)
    assert grid.reauths() == []
    sources = [MAPS]
    grid.hass.config_entries.async_update_entry(
        grid.site.entry, options={"zone": "GB", "sources": sources}
    )
    await grid.site.settle()
    assert grid.intensity.now().source == "electricity_maps:FR"


async def test_missing_key_asks_for_one(grid: Grid) -> None:
    await grid.open({**MAPS, "key": ""})
    (flow,) = grid.reauths()
    assert flow["context"]["entry_id"] == grid.site.entry.entry_id
    assert grid.server.requests == []


@pytest.mark.parametrize(
    ("status", "key"), [(403, "intensity_live_plan"), (404, "intensity_live_zone")]
)
async def test_what_only_the_user_can_change_is_told_at_once(
    grid: Grid, status: int, key: str
) -> None:
    grid.server.trouble = saying(status, '{"error": "No access to zone"}')
    await grid.open(MAPS)
    told = grid.issues()[key]
    assert told["source"] == "Electricity Maps: FR"
    assert "No access to zone" in told["error"]
    # The advice stands in the text of the issue, in the user's language.
    assert "Choose" not in told["error"]
    asked = len(grid.server.requests)
    await grid.advance(5 * HOUR, step=HOUR)
    assert len(grid.server.requests) == asked
    grid.server.trouble = None
    await grid.advance(2 * HOUR, step=HOUR)
    assert grid.issues() == {}
    assert grid.intensity.now().source == "electricity_maps:FR"


async def test_limit_is_kept_and_told_after_a_day_only(grid: Grid) -> None:
    await grid.open(NESO)
    grid.server.trouble = saying(429, "slow down", Retry_After="7200")
    await grid.advance(20 * 60)
    asked = len(grid.server.requests)
    await grid.advance(90 * 60, step=600)
    assert len(grid.server.requests) == asked
    await grid.advance(21 * HOUR, step=600)
    assert asked < len(grid.server.requests) <= asked + 12
    assert "intensity_live_limited" not in grid.issues()
    await grid.advance(5 * HOUR, step=600)
    assert "intensity_live_limited" in grid.issues()
    grid.server.trouble = None
    await grid.advance(3 * HOUR, step=600)
    assert grid.issues() == {}


@pytest.mark.parametrize("trouble", ["500", "half", "hang_up", "null", "page"])
async def test_trouble_that_passes_is_told_after_six_hours(
    grid: Grid, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    troubles = {
        "500": saying(500, "oh no"),
        "null": saying(200, "null"),
        "page": saying(200, "<html>We will be back</html>"),
        "half": grid.server.half,
        "hang_up": grid.server.hang_up,
    }
    await grid.open(NESO)
    grid.server.trouble = troubles[trouble]
    await grid.advance(5.5 * HOUR, step=900)
    assert grid.issues() == {}
    # What was forecast before bridges it.
    assert grid.intensity.now().source == "neso:GB"
    await grid.advance(2 * HOUR, step=900)
    assert "NESO" in grid.issues()["intensity_live_temporary"]["source"]
    assert caplog.text.count("NESO Carbon Intensity: Great Britain: ") == 1
    grid.server.trouble = None
    await grid.advance(1.5 * HOUR, step=900)
    assert grid.issues() == {}
    assert "answers again" in caplog.text


async def test_silence_is_an_answer_too(
    real_time: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(ProviderServer(now=dt_util.utcnow().timestamp())) as server:
        server.trouble = server.silence
        real_time.data[DATA_PATIENCE] = 0.3
        real_time.data[DATA_BASE_URLS] = {"neso": server.url}
        entry = MockConfigEntry(domain=DOMAIN, options={"zone": "GB", "sources": [NESO]})
        entry.add_to_hass(real_time)
        assert await real_time.config_entries.async_setup(entry.entry_id)
        intensity = entry.runtime_data.intensity
        assert intensity.now().grade is Grade.YEARLY
        await intensity.async_refresh()
        assert "no answer in time" in caplog.text
        assert intensity.now().grade is Grade.YEARLY
        await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


async def test_trouble_goes_on_over_a_restart(grid: Grid) -> None:
    await grid.open(NESO)
    grid.server.trouble = saying(500)
    await grid.advance(HOUR, step=900)
    await grid.restart(6 * HOUR)
    assert "intensity_live_temporary" in grid.issues()


async def test_pause_after_failures_doubles(grid: Grid) -> None:
    grid.server.trouble = saying(500)
    await grid.open(NESO)
    asked: list[int] = []
    for _ in range(4):
        await grid.advance(30 * 60)
        asked.append(len(grid.server.requests))
    # 0, 1, 3, 7, 15 minutes, and no more than one an hour later on.
    assert asked[0] <= 6
    assert asked[3] <= 8


async def test_changed_answer_is_told_after_three_in_a_row(grid: Grid) -> None:
    await grid.open(NESO)
    grid.server.trouble = saying(200, '{"data": {"is": "another"}}')
    await grid.advance(16 * 60)
    await grid.advance(60)
    assert grid.issues() == {}
    await grid.advance(5 * 60)
    assert "intensity_live_changed" in grid.issues()
    grid.server.trouble = None
    await grid.advance(HOUR, step=600)
    assert grid.issues() == {}


async def test_what_came_before_a_failure_is_told(grid: Grid) -> None:
    await grid.open(NESO)

    async def no_forecast(request: web.Request) -> web.StreamResponse | None:
        return await saying(500)(request) if "fw48h" in request.path else None

    grid.server.trouble = no_forecast
    heard: list[float] = []
    grid.intensity.async_add_listener(lambda: heard.append(grid.intensity.ladder.at(T + 900).value))
    await grid.advance(31 * 60, step=31 * 60)
    assert heard[-1] == level(T)
    assert grid.intensity.ladder.at(T + 900).grade is Grade.MEASURED


async def test_notice_of_the_provider_is_handed_on(grid: Grid) -> None:
    source = {"kind": "live", "provider": "energy_charts", "zone": "DE"}
    answer = '{"unix_seconds": [], "co2eq": [], "co2eq_forecast": [], "deprecated": true}'
    grid.server.trouble = saying(200, answer)
    await grid.open(source)
    told = grid.issues()["intensity_live_notice"]
    assert told == {
        "source": "Energy-Charts: Germany",
        "notice": "Energy-Charts announces the end of this service",
    }


@pytest.mark.parametrize(("skew", "minutes"), [(-600.0, "10"), (900.0, "15"), (100.0, None)])
async def test_wrong_clock_is_told_until_it_is_right(
    grid: Grid, skew: float, minutes: str | None
) -> None:
    grid.server.skew = skew
    await grid.open(NESO)
    told = grid.issues().get("intensity_live_clock")
    assert (told and told["minutes"]) == minutes
    grid.server.skew = 0.0
    await grid.advance(20 * 60)
    assert grid.issues() == {}


async def test_restart_keeps_what_was_said(grid: Grid) -> None:
    await grid.open(NESO)
    before = grid.intensity.ladder.intervals(T - 24 * HOUR, T + 24 * HOUR)
    grid.server.trouble = saying(500)
    await grid.restart(2 * HOUR)
    after = grid.intensity.ladder.intervals(T - 24 * HOUR, T + 24 * HOUR)
    assert after == before
    assert {interval.source for interval in after} == {"neso:GB"}


async def test_asked_for_by_an_action(grid: Grid) -> None:
    await grid.open(NESO, MAPS)
    asked = len(grid.server.requests)
    await grid.intensity.async_refresh()
    assert len(grid.server.requests) > asked
    asked = len(grid.server.requests)
    # The turn comes as usual afterwards.
    await grid.advance(14 * 60)
    assert not [path for path in grid.server.requests[asked:] if "fw48h" in path]
    grid.server.trouble = saying(429, Retry_After="3600")
    await grid.intensity.async_refresh()
    asked = len(grid.server.requests)
    await grid.intensity.async_refresh()
    assert len(grid.server.requests) == asked


async def test_unknown_provider_does_not_stop_the_site(grid: Grid) -> None:
    await grid.open({"kind": "live", "provider": "gone", "zone": "GB"}, {"kind": "live"}, NESO)
    issues = [
        issue.translation_placeholders
        for issue in ir.async_get(grid.hass).issues.values()
        if issue.translation_key == "intensity_source_invalid"
    ]
    assert [issue["source"] for issue in issues] == ["live:gone:GB", "live"]
    assert "gone" in issues[0]["error"]
    assert grid.intensity.now().source == "neso:GB"


async def test_unknown_zone_is_told(grid: Grid) -> None:
    await grid.open({**NESO, "zone": "Atlantis"})
    told = grid.issues()["intensity_source_invalid"]
    assert told["source"] == "live:neso:Atlantis"
    assert "Atlantis" in told["error"]


async def test_nothing_is_asked_after_unloading(grid: Grid) -> None:
    await grid.open(NESO)
    await grid.site.unload()
    asked = len(grid.server.requests)
    await grid.advance(5 * HOUR, step=HOUR)
    assert len(grid.server.requests) == asked
