"""Other integrations, written to disk and loaded by a real Home Assistant."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
import json
from pathlib import Path
import sys

from homeassistant.core import HomeAssistant
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
import pytest

from custom_components.carbon_meter.const import DOMAIN
from tests.plugins.tallybox import Tallybox, pages_files

type Write = Callable[..., str]
"""Writes an integration; returns its domain."""

_MODULE = """
from homeassistant.helpers import config_validation as cv
CONFIG_SCHEMA = cv.empty_config_schema({domain!r})
async def async_setup(hass, config): return True
async def async_setup_entry(hass, entry): return True
async def async_unload_entry(hass, entry): return True
"""


@pytest.fixture
def write(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Write]:
    """Return what puts an integration into the folder of custom ones, by its files."""
    root = tmp_path / "elsewhere"
    (root / "custom_components").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(root))
    written: list[str] = []

    def put(domain: str, files: Mapping[str, str]) -> str:
        folder = root / "custom_components" / domain
        manifest = {"domain": domain, "name": domain.capitalize(), "version": "1.0.0"}
        given = {
            "manifest.json": json.dumps(manifest),
            "__init__.py": _MODULE.format(domain=domain),
            **files,
        }
        for name, text in given.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        written.append(domain)
        hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
        return domain

    yield put
    for name in list(sys.modules):
        if any(
            name == f"custom_components.{domain}" or name.startswith(f"custom_components.{domain}.")
            for domain in written
        ):
            del sys.modules[name]


@pytest.fixture
def tallybox_integration(write: Write) -> str:
    """Return the integration of docs/plugins.md, installed."""
    return write("tallybox", pages_files())


@pytest.fixture
async def tallybox(socket_enabled: None) -> AsyncIterator[Tallybox]:
    """Return a meter and village server that answers on a real socket."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(Tallybox())


@pytest.fixture
async def closing(hass: HomeAssistant) -> AsyncIterator[None]:
    """Unload the sites before the meters fall silent."""
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
