"""The blueprints: packaged as they are in the repository, each with what it needs to be used."""

from pathlib import Path
import re
import subprocess
import sys
from typing import Any

from homeassistant.components.automation.config import AUTOMATION_BLUEPRINT_SCHEMA
from homeassistant.components.blueprint import Blueprint
from homeassistant.util.yaml import parse_yaml
import pytest

from custom_components.carbon_meter.blueprint_files import FOLDER, PACKAGED

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / FOLDER
FILES = sorted(SOURCE.glob("*.yaml"))
WANTED = {
    "advice",
    "anomaly_alert",
    "appliance_plug",
    "appliance_start",
    "battery_mode",
    "demand_limit",
    "ev_charger_current",
    "ev_charger_switch",
    "heat_pump_setpoint",
    "hvac_precool",
    "light_dim",
    "pool_pump",
    "report",
    "water_heater",
}
URL = f"https://github.com/carbon-meter/carbon-meter/blob/main/{FOLDER}/"


def blueprint(path: Path) -> Blueprint:
    """Return a blueprint as Home Assistant reads it; it raises for one that it refuses."""
    return Blueprint(
        parse_yaml(path.read_text()),
        expected_domain="automation",
        path=str(path),
        schema=AUTOMATION_BLUEPRINT_SCHEMA,
    )


def metadata(path: Path) -> dict[str, Any]:
    return blueprint(path).metadata


def test_there_are_fourteen() -> None:
    assert {path.stem for path in FILES} == WANTED


def test_the_package_has_them_as_they_are() -> None:
    command = [sys.executable, ROOT / "scripts" / "copy_blueprints.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert {path.name: path.read_bytes() for path in PACKAGED.iterdir()} == {
        path.name: path.read_bytes() for path in FILES
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_can_be_used_here_and_says_where_it_comes_from(path: Path) -> None:
    found = blueprint(path)
    assert found.validate() is None
    assert found.metadata["source_url"] == URL + path.name
    assert found.metadata["homeassistant"]["min_version"] == "2026.10.0"
    assert found.metadata["domain"] == "automation"
    assert len(found.metadata["description"]) > 40


def test_no_two_have_one_name() -> None:
    names = [metadata(path)["name"] for path in FILES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_has_a_page_with_its_import_link(path: Path) -> None:
    page = (ROOT / "docs" / "blueprints" / f"{path.stem}.md").read_text()
    (link,) = re.findall(r"blueprint_import/\?blueprint_url=([^)]+)\)", page)
    quoted = (URL + path.name).replace(":", "%3A").replace("/", "%2F")
    assert link == quoted
