"""What the documentation names exists: entities, statistics, actions, options, repair issues."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util import slugify
import pytest
import yaml

from custom_components.carbon_meter import const
from custom_components.carbon_meter.book_descriptions import CARRIER_FIGURES
from custom_components.carbon_meter.carbon.archive.rows import AuditEntry
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.figure_series import (
    AREA_SERIES,
    IMPORT_SERIES,
    METER_SERIES,
    SITE_SERIES,
    VOLUME_SERIES,
    of_carriers,
)
from custom_components.carbon_meter.flows.options import CarbonMeterOptionsFlow
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.restatement import audit_as_dict

PACKAGE = Path(const.__file__).parent
ROOT = PACKAGE.parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
GUIDE = (ROOT / "docs" / "guide.md").read_text()
ENGLISH = json.loads((PACKAGE / "translations" / "en.json").read_text())
ACTIONS = yaml.safe_load((PACKAGE / "services.yaml").read_text())

MEANS = {"coverage", "supply_intensity"}
"""What owners have beside their sums."""

SITES_AND_METERS = ("home", "grid", "heat_pump")
"""The slugs of the site and of the meters in the examples."""


def section(title: str, level: int = 2) -> str:
    """Return the text under a heading of the guide."""
    mark = "#" * level
    found = re.search(
        rf"^{mark} {re.escape(title)}\n(.*?)(?=^#{{2,{level}}} |\Z)",
        GUIDE,
        re.MULTILINE | re.DOTALL,
    )
    assert found, title
    return found.group(1)


def blocks() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
            yield page, block


def whats(table: str) -> set[str]:
    """Return what ids end in, out of the first column of a table."""
    rows = re.findall(r"^\| (`_[^|]*) \|", table, re.MULTILINE)
    return {what for row in rows for what in re.findall(r"`_(\w+)`", row)}


def test_every_yaml_can_be_read() -> None:
    assert len([yaml.safe_load(block) for _, block in blocks()]) > 10


@pytest.mark.parametrize(
    ("owner", "wanted"),
    [
        (
            "Of each meter, named",
            {one.what for one in (*METER_SERIES, *IMPORT_SERIES, *VOLUME_SERIES)}
            | MEANS
            | {"power"},
        ),
        ("Of the site:", {one.what for one in SITE_SERIES} | MEANS | {"intensity"}),
        ("Of each area", {one.what for one in AREA_SERIES} | MEANS),
        ("Of gas, heat", {one.what for one in of_carriers(CARRIER_FIGURES)}),
    ],
)
def test_every_statistic_is_in_the_guide_and_no_others(owner: str, wanted: set[str]) -> None:
    table = section("Statistics").split(f"\n{owner}")[1].split("\n\n")[1]
    assert whats(table) == wanted


def test_statistics_in_examples_exist() -> None:
    known = {*whats(section("Statistics"))}
    named = [
        what
        for page in PAGES
        for what in re.findall(r"carbon_meter:[0-9a-z]{26}_(\w+)", page.read_text())
    ]
    assert named
    assert set(named) <= known


def test_every_entity_is_in_the_guide_and_no_others() -> None:
    names = {
        entity["name"]
        for platform in ENGLISH["entity"].values()
        for key, entity in platform.items()
        if key not in QUANTITIES
    }
    quantities = {"Power", "Energy import", "Energy export", "Volume"}
    named = set(re.findall(r"\*\*([^*]+)\*\*", section("Entities").replace("\n", " ")))
    assert named == names | quantities


def test_entities_in_examples_exist() -> None:
    names = {
        slugify(entity["name"])
        for platform in ENGLISH["entity"].values()
        for entity in platform.values()
    }
    known = {f"{owner}_{name}" for owner in SITES_AND_METERS for name in names}
    text = "".join(block for page, block in blocks() if page.name == "guide.md")
    ours = re.findall(rf"sensor\.((?:{'|'.join(SITES_AND_METERS)})_\w+)", text)
    assert ours
    assert set(ours) <= known


def test_actions_that_are_named_exist() -> None:
    for page in PAGES:
        named = set(re.findall(r"(?:`|action: )carbon_meter\.(\w+)", page.read_text()))
        files = {"yaml", "py", "config_flow"}
        assert named <= {*ACTIONS} | files, page.name


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_field_of_an_action_is_in_the_guide_and_no_others(action: str) -> None:
    text = section(f"`carbon_meter.{action}`", 3)
    table = text.split("| field |")[1].split("\n\n")[0] if "| field |" in text else ""
    rows = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    fields = {field for row in rows for field in re.findall(r"`(\w+)`", row)}
    assert fields == {*((ACTIONS[action] or {}).get("fields", {}))}


def calls(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the actions of this integration in an example, at any depth."""
    if isinstance(node, dict):
        if str(node.get("action", "")).startswith("carbon_meter."):
            yield node["action"].partition(".")[2], node.get("data", {})
        for value in node.values():
            yield from calls(value)
    elif isinstance(node, list):
        for value in node:
            yield from calls(value)


def test_examples_of_actions_use_their_fields() -> None:
    found = [call for _, block in blocks() for call in calls(yaml.safe_load(block))]
    assert {action for action, _ in found} == set(ACTIONS)
    for action, data in found:
        assert set(data) <= set((ACTIONS[action] or {}).get("fields", {})), action


def test_entries_of_the_audit_trail_are_as_the_guide_says() -> None:
    entry = AuditEntry(
        id=1, when=0.0, reason="", detail="", start=0, end=0, owners=(), before={}, after={}
    )
    told = section("`carbon_meter.audit_trail`", 3).split("has `entries`")[1]
    assert set(audit_as_dict(entry)) <= set(re.findall(r"`(\w+)`", told))


def test_every_reason_of_a_restatement_is_in_the_record() -> None:
    record = (ROOT / "docs" / "record.md").read_text()
    reasons = {
        reason
        for path in (*PACKAGE.glob("*.py"), *PACKAGE.glob("carbon/site/*.py"))
        for reason in re.findall(
            r'(?:Restated\(reason=|\breason = |^REASON: Final = )"(\w+)"',
            path.read_text(),
            re.MULTILINE,
        )
    }
    assert len(reasons) > 5
    assert reasons == set(
        re.findall(r"^\| `(\w+)` \|", section_of(record, "Restating"), re.MULTILINE)
    )


def section_of(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def test_every_repair_issue_is_in_the_guide_and_no_others() -> None:
    titles = {issue["title"] for issue in ENGLISH["issues"].values()}
    table = section("Troubleshooting").split("| repair issue |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)) == titles


def test_every_option_is_in_the_guide() -> None:
    text = section("Options of a site")
    steps = ENGLISH["options"]["step"]
    menu = steps["init"]["menu_options"]
    assert set(menu) == set(CarbonMeterOptionsFlow.MENU)
    wanted = {*menu.values(), *steps["add_source"]["menu_options"].values()}
    for name in wanted:
        assert f"**{name}**" in text, name
    for name in steps["sources"]["menu_options"].values():
        assert f"*{name}*" in text, name


def test_every_kind_of_contract_is_in_the_guide() -> None:
    step = ENGLISH["config_subentries"]["contract"]["step"]["user"]
    for name in step["menu_options"].values():
        assert f"**{name}**" in section("Contracts"), name


def test_every_grade_is_in_the_guide() -> None:
    rows = re.findall(r"^\| (\w[\w ]+) \|", section("How well a figure is known"), re.MULTILINE)
    assert {row.replace(" ", "_") for row in rows} - {"grade"} == {*Grade}


async def test_template_finds_the_cleanest_time(hass: HomeAssistant) -> None:
    (block,) = [block for _, block in blocks() if block.startswith("template:")]
    state = yaml.safe_load(block)["template"][0]["sensor"][0]["state"]
    assert Template(state, hass).async_render() is None
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    hours = [
        {"start": (start + timedelta(hours=hour)).isoformat(), "intensity": intensity}
        for hour, intensity in enumerate([300, 120, 200, *[250] * 20, 10])
    ]
    hass.states.async_set(
        "sensor.home_carbon_intensity_forecast", "300", {"forecast": hours, "unit": "gCO2eq/kWh"}
    )
    assert Template(state, hass).async_render() == hours[1]["start"]
