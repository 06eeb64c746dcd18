"""What the tests of the flows for sources share: providers on a port of the loopback, and steps."""

from collections.abc import AsyncIterator
import json
from pathlib import Path
import re
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import const
from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.carbon.intensity.live.pace import Paces
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.sources.opening import (
    DATA_BASE_URLS,
    DATA_PACES,
    DATA_PATIENCE,
)
from tests.carbon.intensity.live.conftest import VirtualTime
from tests.carbon.intensity.provider_server import ProviderServer, served

UNIT = "gCO2eq/kWh"
TEXTS = json.loads(
    (Path(const.__file__).parent / "translations" / "en.json").read_text(encoding="utf-8")
)


@pytest.fixture
async def providers(real_time: HomeAssistant) -> AsyncIterator[ProviderServer]:
    """Return the server that plays all providers; turns are waited for in a time of their own."""
    pace = VirtualTime()
    real_time.data[DATA_PACES] = Paces(clock=pace.monotonic, sleep=pace.sleep)
    real_time.data[DATA_PATIENCE] = 5.0
    async with served(ProviderServer(now=time.time())) as server:
        real_time.data[DATA_BASE_URLS] = dict.fromkeys(PROVIDERS, server.url)
        yield server
        for entry in real_time.config_entries.async_entries(DOMAIN):
            if entry.state is not ConfigEntryState.NOT_LOADED:
                await real_time.config_entries.async_unload(entry.entry_id)
        await real_time.async_block_till_done(wait_background_tasks=True)


async def site_with(
    hass: HomeAssistant, options: dict[str, Any], *, load: bool = True
) -> MockConfigEntry:
    """Return a site without meters."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="Home", options=options, version=1, minor_version=2
    )
    entry.add_to_hass(hass)
    if load:
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done(wait_background_tasks=True)
    return entry


class Options:
    """The options flow of a site, answered step by step."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self.hass = hass
        self.entry = entry
        self.result: Any = None

    async def open(self, *steps: str) -> Any:
        """Begin, and follow the menus along some steps."""
        self.result = await self.hass.config_entries.options.async_init(self.entry.entry_id)
        for step in steps:
            await self.go(step)
        return self.result

    async def go(self, step: str) -> Any:
        """Choose a step of the menu that is shown."""
        assert self.result["type"] is FlowResultType.MENU, self.result
        assert step in self.result["menu_options"]
        return await self.answer(next_step_id=step)

    async def answer(self, **fields: Any) -> Any:
        """Submit the form that is shown."""
        flows = self.hass.config_entries.options
        self.result = await flows.async_configure(self.result["flow_id"], fields)
        if self.result["type"] is not FlowResultType.CREATE_ENTRY:
            assert_told(self.result, "options")
        return self.result

    async def save(self) -> None:
        """Save, and let the site be set up with it."""
        await self.go("save")
        assert self.result["type"] is FlowResultType.CREATE_ENTRY
        await self.hass.async_block_till_done(wait_background_tasks=True)

    def said(self, name: str) -> str:
        """Return a placeholder of the step that is shown."""
        text: str = self.result["description_placeholders"][name]
        return text


def assert_told(result: Any, flow: str) -> None:
    """Assert that a step has texts, and whatever they leave open."""
    step, errors = TEXTS[flow]["step"][result["step_id"]], result.get("errors") or {}
    given = set(result.get("description_placeholders") or {})
    for text in (*_texts(step), *(TEXTS[flow]["error"][key] for key in errors.values())):
        assert set(re.findall(r"\{(\w+)\}", text)) <= given, text
    if result["type"] is FlowResultType.MENU:
        assert set(result["menu_options"]) <= set(step["menu_options"])
    else:
        assert {str(key) for key in result["data_schema"].schema} <= set(step.get("data", {}))


def _texts(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    return [text for value in node.values() for text in _texts(value)]


def choices(result: Any, field: str) -> list[str]:
    """Return the values among which a field lets choose, in order."""
    selector = result["data_schema"].schema[field]
    return [
        option["value"] if isinstance(option, dict) else option
        for option in selector.config["options"]
    ]


def suggested(result: Any, field: str) -> Any:
    """Return what stands in a field before anything is typed."""
    marker = next(key for key in result["data_schema"].schema if key == field)
    return (marker.description or {}).get("suggested_value")
