"""Choosing an MQTT topic, with a real mosquitto, and a plugin's offer."""

from collections.abc import AsyncIterator
import json
from pathlib import Path

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.flows import source_topic
from tests.common import LOOPBACK
from tests.flows.sources import UNIT, Options, choices, site_with, suggested
from tests.metering.json.broker import mosquitto, needs_mosquitto
from tests.plugins.conftest import Write, write  # noqa: F401

PLUGIN = """
from custom_components.carbon_meter.plugin import IntensityOffer, Plugin
async def create(hass, options): raise NotImplementedError
async def async_get_carbon_meter_plugin(hass):
    return Plugin(intensity_sources=(IntensityOffer(key="grid", name="Own grid", create=create),))
"""


@pytest.fixture
def expected_lingering_timers() -> bool:
    """Let the MQTT integration keep the timer that it keeps in a test."""
    return True


@pytest.fixture
async def broker(
    socket_enabled: None, tmp_path: Path, mock_hass_config: None, real_time: HomeAssistant
) -> AsyncIterator[MockConfigEntry]:
    """Return Home Assistant's connection to a broker."""
    with mosquitto(tmp_path) as port:
        entry = MockConfigEntry(
            domain="mqtt",
            data={"broker": LOOPBACK, "port": port, "protocol": "5"},
            version=1,
            minor_version=2,
        )
        entry.add_to_hass(real_time)
        assert await real_time.config_entries.async_setup(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=False)
        yield entry
        await real_time.config_entries.async_unload(entry.entry_id)


async def form(hass: HomeAssistant, kind: str = "topic", *sources: dict) -> Options:
    """Return the flow at the form of a kind of source."""
    entry = await site_with(hass, {"sources": list(sources)}, load=False)
    flow = Options(hass, entry)
    await flow.open("sources", "add_source", kind)
    return flow


async def publish(hass: HomeAssistant, topic: str, payload: str) -> None:
    """Let the broker keep a message."""
    from homeassistant.components import mqtt  # noqa: PLC0415

    await mqtt.async_publish(hass, topic, payload, qos=1, retain=True)


async def test_without_mqtt(real_time: HomeAssistant) -> None:
    flow = await form(real_time)
    await flow.answer(topic="grid/co2", unit=UNIT)
    assert flow.result["errors"] == {"base": "no_broker"}


@needs_mosquitto
async def test_with_mqtt_switched_off(real_time: HomeAssistant, broker: MockConfigEntry) -> None:
    await real_time.config_entries.async_set_disabled_by(broker.entry_id, ConfigEntryDisabler.USER)
    flow = await form(real_time)
    await flow.answer(topic="grid/co2", unit=UNIT)
    assert flow.result["errors"] == {"base": "no_broker"}
    assert "grid/co2" in flow.said("detail")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"topic": " "}, {"topic": "not_a_topic"}),
        ({"topic": "grid/#"}, {"topic": "not_a_topic"}),
        ({"topic": "grid/+/co2"}, {"topic": "not_a_topic"}),
        ({"topic": "x" * 65536}, {"topic": "not_a_topic"}),
        ({"unit": "EUR/kWh"}, {"unit": "unknown_unit"}),
        ({"unit": " "}, {"unit": "unknown_unit"}),
        ({"path": "a[["}, {"path": "bad_path"}),
        ({"path": "a.{unit}"}, {"path": "bad_path"}),
    ],
)
async def test_what_cannot_be_right(fields, error, real_time: HomeAssistant) -> None:
    flow = await form(real_time)
    await flow.answer(**{"topic": "grid/co2", "unit": UNIT, **fields})
    assert flow.result["errors"] == error


@needs_mosquitto
async def test_a_kept_message_is_read(real_time: HomeAssistant, broker: MockConfigEntry) -> None:
    await publish(real_time, "grid/co2", json.dumps({"now": {"co2": 0.3}, "unit": "kg/kWh"}))
    flow = await form(real_time)
    await flow.answer(topic=" grid/co2 ", unit=UNIT, path="now.co2")
    assert flow.result["step_id"] == "reported_confirm"
    assert flow.said("source") == "MQTT grid/co2"
    assert flow.said("intensity") == f"300 {UNIT}"
    await flow.answer()
    await flow.go("save")
    assert flow.entry.options["sources"] == [
        {"kind": "topic", "topic": "grid/co2", "unit": UNIT, "path": "now.co2"}
    ]


@needs_mosquitto
@pytest.mark.parametrize(
    ("payload", "error", "detail"),
    [
        ("hello", "unreadable", "hello"),
        ('{"temperature": 20}', "unreadable", "temperature"),
        ("-5", "unreadable", "not a possible carbon intensity"),
        ("40 EUR/MWh", "unknown_unit", "EUR/MWh"),
    ],
)
async def test_messages_about_something_else(
    payload: str, error: str, detail: str, real_time: HomeAssistant, broker: MockConfigEntry
) -> None:
    await publish(real_time, "grid/co2", payload)
    flow = await form(real_time)
    await flow.answer(topic="grid/co2", unit=UNIT)
    assert flow.result["errors"] == {"topic": error}
    assert detail in flow.said("detail")


@needs_mosquitto
async def test_silence_and_the_word_for_it(
    real_time: HomeAssistant, broker: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(real_time, "grid/unknown", "unknown")
    flow = await form(real_time)
    await flow.answer(topic="grid/unknown", unit=UNIT)
    assert flow.said("intensity") == "-"
    monkeypatch.setattr(source_topic, "_PATIENCE", 0.1)
    await flow.open("sources", "add_source", "topic")
    await flow.answer(topic="grid/silent", unit=UNIT)
    assert flow.result["step_id"] == "reported_confirm"
    assert flow.said("intensity") == "-"


async def test_the_offer_of_a_plugin(real_time: HomeAssistant, write: Write) -> None:  # noqa: F811
    write("own", {"carbon_meter.py": PLUGIN})
    assert await async_setup_component(real_time, "own", {"own": {}})
    assert await async_setup_component(real_time, "carbon_meter", {})
    await real_time.async_block_till_done(wait_background_tasks=True)
    gone = {"kind": "plugin", "offer": "gone.grid"}
    flow = await form(real_time, "plugin", gone)
    assert choices(flow.result, "offer") == ["own.grid"]
    await flow.answer(offer="own.grid")
    assert flow.said("sources") == "1. gone.grid\n2. Own grid"
    await flow.go("edit_source")
    await flow.answer(source="0")
    assert choices(flow.result, "offer") == ["own.grid", "gone.grid"]
    assert suggested(flow.result, "offer") == "gone.grid"
    await flow.answer(offer="own.grid")
    assert flow.result["errors"] == {"base": "already_listed"}
    await flow.answer(offer="gone.grid")
    await flow.go("save")
    assert flow.entry.options["sources"] == [gone, {"kind": "plugin", "offer": "own.grid"}]
