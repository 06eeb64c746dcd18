"""A topic as a source, through Home Assistant's own client and a real mosquitto."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from paho.mqtt import publish
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.intensity import SiteIntensity
from tests.common import LOOPBACK
from tests.metering.json.broker import mosquitto, needs_mosquitto

pytestmark = needs_mosquitto

TOPIC = "grid/co2"
SOURCE = {"kind": "topic", "topic": TOPIC, "unit": "gCO2eq/kWh"}
PATIENCE = 60.0


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let the MQTT integration keep the timer that it keeps in a test."""
    return True


@pytest.fixture
def broker(socket_enabled: None, tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as port:
        yield port


class Home:
    """Home Assistant, a broker that it may be connected to, and a site."""

    def __init__(self, hass: HomeAssistant, port: int) -> None:
        self.hass, self.port = hass, port
        self.mqtt = MockConfigEntry(
            domain="mqtt",
            data={"broker": LOOPBACK, "port": port, "protocol": "5"},
            version=1,
            minor_version=2,
        )
        self.site: MockConfigEntry

    async def connect(self) -> None:
        self.mqtt.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.mqtt.entry_id)
        await self.hass.async_block_till_done()

    async def open(self, *sources: dict[str, Any]) -> None:
        options = {"zone": "DE", "sources": list(sources or [SOURCE])}
        self.site = MockConfigEntry(domain=DOMAIN, title="Home", options=options)
        self.site.add_to_hass(self.hass)
        assert await self.hass.config_entries.async_setup(self.site.entry_id)
        await self.hass.async_block_till_done()

    async def say(self, payload: bytes | str, *, retain: bool = False) -> None:
        await asyncio.to_thread(publish.single, TOPIC, payload, 1, retain, LOOPBACK, self.port)

    @property
    def intensity(self) -> SiteIntensity:
        return self.site.runtime_data.intensity

    async def until(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            await asyncio.sleep(0.02)

    async def until_value(self, value: float) -> None:
        await self.until(lambda: self.intensity.now().value == pytest.approx(value))

    async def until_grade(self, grade: Grade) -> None:
        await self.until(lambda: self.intensity.now().grade is grade)

    def issues(self) -> dict[str, Any]:
        return {
            issue.translation_key: issue.translation_placeholders
            for (domain, _), issue in ir.async_get(self.hass).issues.items()
            if domain == DOMAIN
        }


@pytest.fixture
async def home(
    broker: int, mock_hass_config: None, real_time: HomeAssistant
) -> AsyncIterator[Home]:
    home = Home(real_time, broker)
    yield home
    for entry in (home.site, home.mqtt):
        if entry.state is ConfigEntryState.LOADED:
            await real_time.config_entries.async_unload(entry.entry_id)
    await real_time.async_block_till_done(wait_background_tasks=True)


async def test_message_holds_from_when_it_is_heard(home: Home) -> None:
    await home.connect()
    await home.open()
    assert home.intensity.now().grade is Grade.YEARLY
    heard: list[int] = []
    home.intensity.async_add_listener(lambda: heard.append(1))
    # Until the subscription has arrived nobody listens.
    await home.say("212", retain=True)
    await home.until_value(212)
    now = home.intensity.now()
    assert (now.grade, now.source) == (Grade.MEASURED, f"topic:{TOPIC}")
    assert heard
    await home.say(json.dumps({"value": 0.3, "unit": "kg/kWh"}))
    await home.until_value(300)
    await home.say("1000 lb/MWh")
    await home.until_value(453.59237)


async def test_kept_message_is_there_at_once(home: Home) -> None:
    await home.say("99", retain=True)
    await home.connect()
    await home.open()
    await home.until_value(99)


@pytest.mark.parametrize(
    "garbage", [b"\xff\xfe", b"", b"cloudy", b"{}", b"[", b"-5", b"1e99", b"nan", b"null", b"true"]
)
async def test_after_garbage_nothing_is_known(home: Home, garbage: bytes) -> None:
    await home.connect()
    await home.open()
    await home.say("99", retain=True)
    await home.until_value(99)
    await home.say(garbage)
    await home.until_grade(Grade.YEARLY)
    await home.say("98")
    await home.until_value(98)
    assert home.issues() == {}


async def test_unit_that_is_none_is_told(home: Home) -> None:
    await home.connect()
    await home.open()
    await home.say('{"value": 30, "unit": "EUR/MWh"}', retain=True)
    await home.until(lambda: "intensity_topic_unit" in home.issues())
    assert home.issues()["intensity_topic_unit"] == {"topic": TOPIC, "unit": "EUR/MWh"}
    assert home.intensity.now().grade is Grade.YEARLY
    await home.say("98")
    await home.until_value(98)
    assert home.issues() == {}


async def test_forecast_in_a_message(home: Home) -> None:
    await home.connect()
    await home.open()
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
    rows = [{"from": begin.isoformat(), "to": (begin + timedelta(hours=1)).isoformat(), "value": 7}]
    await home.say(json.dumps({"value": 100, "forecast": rows}), retain=True)
    await home.until_value(100)
    ahead = home.intensity.ladder.at(begin.timestamp() + 600)
    assert (ahead.value, ahead.grade) == (7, Grade.FORECAST)


async def test_place_of_the_value_in_a_message(home: Home) -> None:
    await home.connect()
    await home.open({**SOURCE, "path": "now.grid"})
    await home.say(json.dumps({"now": {"grid": 61, "value": 5}}), retain=True)
    await home.until_value(61)


async def test_broker_that_is_not_set_up_is_told_and_found_later(home: Home) -> None:
    await home.open()
    assert home.issues() == {"intensity_topic_no_broker": {"topic": TOPIC}}
    assert home.intensity.now().grade is Grade.YEARLY
    await home.say("99", retain=True)
    await home.connect()
    await home.until_value(99)
    assert home.issues() == {}


async def test_broker_that_is_reloaded_is_heard_again(home: Home) -> None:
    await home.connect()
    await home.open()
    await home.say("99", retain=True)
    await home.until_value(99)
    assert await home.hass.config_entries.async_reload(home.mqtt.entry_id)
    await home.say("98", retain=True)
    await home.until_value(98)


async def test_last_word_is_known_after_a_restart_for_an_hour(home: Home) -> None:
    await home.connect()
    await home.open()
    await home.say("99")
    await home.say("99", retain=True)
    await home.until_value(99)
    await home.say("", retain=True)
    await home.until_grade(Grade.YEARLY)
    await home.say("97")
    await home.until_value(97)
    await home.hass.config_entries.async_reload(home.site.entry_id)
    now = dt_util.utcnow().timestamp()
    assert home.intensity.ladder.at(now + 1800).value == 97
    assert home.intensity.ladder.at(now + 3700).grade is Grade.YEARLY
