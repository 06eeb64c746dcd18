"""The example of docs/plugins.md, as it stands there, in a real Home Assistant."""

import ast
from pathlib import Path
import subprocess
import sys

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.diagnostics import async_get_config_entry_diagnostics
from tests.flows.sources import Options
from tests.plugins.tallybox import PAGE, Tallybox, pages_files

pytestmark = pytest.mark.usefixtures("tallybox_integration", "closing")


@pytest.fixture
async def installed(hass: HomeAssistant, tallybox: Tallybox) -> HomeAssistant:
    """Return Home Assistant with both integrations set up."""
    config = {"tallybox": {"host": "127.0.0.1", "port": tallybox.port}}
    assert await async_setup_component(hass, "tallybox", config)
    assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    return hass


async def add_meter(hass: HomeAssistant, tallybox: Tallybox):
    """Go through the flow; return its last result."""
    flow = hass.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "protocol"})
    (protocols,) = result["data_schema"].schema.values()
    assert {"value": "tallybox", "label": "Tallybox"} in protocols.config["options"]
    result = await flow.async_configure(result["flow_id"], {"protocol": "tallybox"})
    assert result["step_id"] == "address"
    address = {"host": "127.0.0.1", "port": tallybox.port}
    result = await flow.async_configure(result["flow_id"], address)
    assert result["step_id"] == "confirm", result["errors"]
    assert result["description_placeholders"]["meter"] == "Tallybox TB-3"
    assert "8765.4 kWh" in result["description_placeholders"]["values"]
    result = await flow.async_configure(result["flow_id"], {"site": "Village", "name": "Box"})
    await hass.async_block_till_done(wait_background_tasks=True)
    return result


async def test_meter_is_added_and_read(installed: HomeAssistant, tallybox: Tallybox) -> None:
    result = await add_meter(installed, tallybox)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    (subentry,) = result["result"].subentries.values()
    assert subentry.unique_id == "tallybox:00042"
    assert subentry.data["driver"] == "tallybox"
    assert subentry.data["profile"] == "tallybox_tb3"
    entity_id = er.async_get(installed).async_get_entity_id(
        "sensor", DOMAIN, f"{subentry.subentry_id}_power"
    )
    assert float(installed.states.get(entity_id).state) == 1250
    assert not ir.async_get(installed).issues


async def test_intensity_is_chosen_and_used(installed: HomeAssistant, tallybox: Tallybox) -> None:
    entry = (await add_meter(installed, tallybox))["result"]
    flow = Options(installed, entry)
    await flow.open("sources", "add_source", "plugin")
    await flow.answer(offer="tallybox.village")
    await flow.save()
    # The source wants to be asked at once: that is with the next tick of the timers.
    intensity = entry.runtime_data.intensity
    while "grid" not in tallybox.asked:
        await installed.async_block_till_done(wait_background_tasks=True)
    await installed.async_block_till_done(wait_background_tasks=True)
    now = intensity.now()
    assert (now.value, now.grade, now.source) == (213.5, "measured", "tallybox.village")
    assert intensity.info(now.source).name == "Village grid"
    state = installed.states.get("sensor.village_carbon_intensity")
    assert float(state.state) == 213.5
    assert state.attributes["licence"] == "CC0-1.0"


async def test_other_meter_at_the_address_is_told(
    installed: HomeAssistant, tallybox: Tallybox
) -> None:
    entry = (await add_meter(installed, tallybox))["result"]
    (meter,) = entry.runtime_data.meters.values()
    tallybox.answers["tell"] = tallybox.answers["tell"].replace("00042", "00043")
    await meter.async_refresh()
    assert not meter.last_update_success
    assert "Another meter answers" in str(meter.last_exception)


async def test_garbage_is_no_value(installed: HomeAssistant, tallybox: Tallybox) -> None:
    entry = (await add_meter(installed, tallybox))["result"]
    (meter,) = entry.runtime_data.meters.values()
    tallybox.answers["tell"] = "TB1 model=TB-3 serial=00042 kW=lots kWh=-3 V=230.1"
    await meter.async_refresh()
    assert meter.last_update_success
    assert dict(meter.data.values) == {"voltage": 230.1}
    assert sorted(fault.quantity for fault in meter.data.faults) == ["energy_import", "power"]
    tallybox.answers["tell"] = "HTTP/1.1 400 Bad Request"
    await meter.async_refresh()
    assert not meter.last_update_success


async def test_diagnostics_say_nothing_of_its_place(
    installed: HomeAssistant, tallybox: Tallybox
) -> None:
    entry = (await add_meter(installed, tallybox))["result"]
    said = await async_get_config_entry_diagnostics(installed, entry)
    assert said["plugins"] == ["tallybox"]
    assert "127.0.0.1" not in str(said)
    assert str(tallybox.port) not in str(said)
    assert "00042" not in str(said)


async def test_wrong_address_is_told_in_the_form(
    installed: HomeAssistant, tallybox: Tallybox
) -> None:
    flow = installed.config_entries.flow
    result = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"next_step_id": "protocol"})
    result = await flow.async_configure(result["flow_id"], {"protocol": "tallybox"})
    result = await flow.async_configure(result["flow_id"], {"host": "127.0.0.1", "port": 9})
    assert result["errors"] == {"base": "refused"}
    tallybox.answers["tell"] = "SMTP ready"
    address = {"host": "127.0.0.1", "port": tallybox.port}
    result = await flow.async_configure(result["flow_id"], address)
    assert result["errors"] == {"base": "not_a_meter"}
    tallybox.answers["tell"] = "TB1 model=TB-9"
    result = await flow.async_configure(result["flow_id"], address)
    assert result["errors"] == {"base": "unknown_model"}
    assert result["description_placeholders"]["detail"] == "TB-9"


def test_page_shows_every_file() -> None:
    files = pages_files()
    assert set(files) == {
        "manifest.json",
        "__init__.py",
        "carbon_meter.py",
        "wire.py",
        "profile.py",
        "profiles/tb3.yaml",
        "driver.py",
        "intensity.py",
    }


def test_example_is_linted(tmp_path: Path) -> None:
    folder = tmp_path / "linted"
    folder.mkdir()
    for name, text in pages_files().items():
        if name.endswith(".py"):
            (folder / name).write_text(text)
    settings = PAGE.parents[1] / "pyproject.toml"
    # A docstring of what overrides would repeat; the assertion is for the type checker.
    ignored = "D102,INP001,S101"
    command = [sys.executable, "-m", "ruff", "check", "--config", settings, "--ignore", ignored]
    result = subprocess.run([*command, folder], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_example_imports_only_the_public_module() -> None:
    for name, text in pages_files().items():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("custom_"):
                assert node.module == "custom_components.carbon_meter.plugin", name
