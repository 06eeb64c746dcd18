"""What users read exists in English and Simplified Chinese, for everything that is shown."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

from custom_components.carbon_meter import const
from custom_components.carbon_meter.account_descriptions import ACCOUNT_SENSORS
from custom_components.carbon_meter.backfill_sensor import BACKFILL_SENSOR
from custom_components.carbon_meter.book_descriptions import (
    CARRIER_FIGURES,
    METER_BOOK_SENSORS,
    SITE_BOOK_SENSORS,
    carrier_sensor,
)
from custom_components.carbon_meter.carbon.accounting.normalised import Denominator, Reference
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.community.authority.reasons import Reason as FileReason
from custom_components.carbon_meter.community.contract.message import Flow, Level
from custom_components.carbon_meter.community.hub.status import WorkerState
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.community.privacy.publish import Reason as WhySuppressed
from custom_components.carbon_meter.community.privacy.rules import PRESETS
from custom_components.carbon_meter.flows.hub_options import HubOptionsFlow
from custom_components.carbon_meter.flows.options import CarbonMeterOptionsFlow
from custom_components.carbon_meter.flows.source_forms import NONE
from custom_components.carbon_meter.forecast_sensor import FORECAST_ERROR_SENSORS, FORECAST_SENSOR
from custom_components.carbon_meter.hub_entry.actions import (
    SERVICE_COMMUNITY_REPORT,
    SERVICE_EXPORT_COMMUNITY,
    SERVICE_INVITE_HOME,
    SERVICE_RECOMPUTE_COMMUNITY,
    SERVICE_REMOVE_HOME,
)
from custom_components.carbon_meter.hub_entry.descriptions import (
    COMMUNITY_FIGURES,
    PART_FIGURES,
    STATES,
)
from custom_components.carbon_meter.hub_entry.exports import ExportFormat
from custom_components.carbon_meter.hub_entry.keys import HUB_ISSUE, OWN_RULES
from custom_components.carbon_meter.hub_entry.settings import ASKED_DURATIONS
from custom_components.carbon_meter.hub_entry.trial import Trouble
from custom_components.carbon_meter.load_descriptions import LOAD_SENSORS
from custom_components.carbon_meter.load_sensor import PLAN_SENSOR
from custom_components.carbon_meter.membership.sensors import (
    HUB_MEMBERSHIP_SENSORS,
    MEMBERSHIP_SENSORS,
)
from custom_components.carbon_meter.metering.incidents import Reason
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.metering.steps import StepKind
from custom_components.carbon_meter.planning.plan import ReasonKind
from custom_components.carbon_meter.quality_descriptions import QUALITY_SENSORS
from custom_components.carbon_meter.report_descriptions import REPORT_SENSORS, reference_sensors
from custom_components.carbon_meter.sensor import SITE_SENSORS
from custom_components.carbon_meter.simulation_sensor import SIMULATION_SENSOR

PACKAGE = Path(const.__file__).parent
SERVICES = yaml.safe_load((PACKAGE / "services.yaml").read_text())
REFERENCES = tuple(Reference(denominator=one, quantity=1.0, name="unit") for one in Denominator)
ENGLISH, CHINESE = (
    json.loads((PACKAGE / "translations" / f"{language}.json").read_text())
    for language in ("en", "zh-Hans")
)


def leaves(node: Any, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*where, key))
    else:
        yield where, node


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    english, chinese = dict(leaves(ENGLISH)), dict(leaves(CHINESE))
    assert set(english) == set(chinese)
    for where, text in english.items():
        assert text.strip(), where
        wanted = sorted(re.findall(r"\{(\w+)\}", text))
        assert sorted(re.findall(r"\{(\w+)\}", chinese[where])) == wanted, where


def test_chinese_is_chinese() -> None:
    latin = [text for where, text in leaves(CHINESE) if not re.search(r"[\u4e00-\u9fff]", text)]
    assert not latin


def test_no_markup() -> None:
    for where, text in (*leaves(ENGLISH), *leaves(CHINESE)):
        assert not re.search(r"<\w+|https?://", text), where


@pytest.mark.parametrize("language", [ENGLISH, CHINESE], ids=["en", "zh-Hans"])
def test_everything_shown_is_named(language: dict[str, Any]) -> None:
    sensors = language["entity"]["sensor"]
    described = (
        *ACCOUNT_SENSORS,
        *QUALITY_SENSORS,
        *SITE_SENSORS,
        *SITE_BOOK_SENSORS,
        *METER_BOOK_SENSORS,
        *FORECAST_ERROR_SENSORS,
        FORECAST_SENSOR,
        BACKFILL_SENSOR,
        SIMULATION_SENSOR,
        *LOAD_SENSORS,
        PLAN_SENSOR,
        *map(carrier_sensor, CARRIER_FIGURES),
        *REPORT_SENSORS,
        *reference_sensors(REFERENCES),
        *MEMBERSHIP_SENSORS,
        *COMMUNITY_FIGURES,
        *PART_FIGURES,
        *STATES,
    )
    keys = {description.translation_key for description in described}
    keys |= {description.translation_key for description in HUB_MEMBERSHIP_SENSORS}
    assert set(sensors) == {*QUANTITIES, *keys, "carbon_intensity"}
    assert set(language["selector"]["role"]["options"]) == set(const.Role)
    assert set(language["options"]["step"]["init"]["menu_options"]) == {
        *CarbonMeterOptionsFlow.MENU
    }
    assert set(language["options"]["step"]["add_source"]["menu_options"]) == {*const.SourceKind}
    assert set(language["selector"]["provider"]["options"]) == {*PROVIDERS, NONE}
    grades = sensors["carbon_intensity"]["state_attributes"]["grade"]["state"]
    assert set(grades) == set(Grade)
    assert set(sensors["coverage"]["state_attributes"]) == set(Grade)
    assert set(sensors["plan"]["state"]) == set(ReasonKind)
    events = language["entity"]["event"]
    for key, kinds in (("power_step", StepKind), ("incident", Reason)):
        named = events[key]["state_attributes"]["event_type"]["state"]
        assert set(named) == {kind.value for kind in kinds}, key


SITE, METER = ENGLISH["config"], ENGLISH["config_subentries"]["meter"]
OPTIONS = ENGLISH["options"]
FLOWS = {
    "battery_steps.py": (OPTIONS,),
    "carrier_steps.py": (OPTIONS,),
    "config_flow.py": (SITE,),
    "discovered.py": (SITE,),
    "hub_homes.py": (OPTIONS,),
    "hub_new_file.py": (OPTIONS,),
    "membership.py": (ENGLISH["config_subentries"]["membership"],),
    "membership_changes.py": (ENGLISH["config_subentries"]["membership"],),
    "membership_of_hub.py": (ENGLISH["config_subentries"]["membership"],),
    "meter.py": (METER,),
    "past_steps.py": (OPTIONS,),
    "reauth.py": (SITE,),
}
"""Whose texts a file needs; a file that is not here is part of both flows."""


def test_every_key_that_the_code_uses_exists() -> None:
    seen = set()
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text()
        flows = FLOWS.get(path.name, (SITE, METER)) if path.parent.name != "metering" else ()
        forms = (SITE, METER) if path.parent.name == "drivers" else ()
        for pattern, section, wheres in (
            (r'translation_domain=DOMAIN,\n\s+translation_key="(\w+)"', "exceptions", (ENGLISH,)),
            (r'(?:refused|failed)\(\s*"(\w+)"', "exceptions", (ENGLISH,)),
            (r'\.tell\(\s*"(\w+)"', "issues", (ENGLISH,)),
            (r'ProbeError\(\s*"(\w+)"', "error", (SITE, METER)),
            (r'            key = "(\w+)"', "error", forms),
            (r'async_abort\(\s*reason="(\w+)"', "abort", flows),
        ):
            for key in re.findall(pattern, source):
                seen.add(section)
                for where in wheres:
                    assert key in where[section], (path.name, section, key)
    assert seen == {"exceptions", "issues", "error", "abort"}


@pytest.mark.parametrize("language", [ENGLISH, CHINESE], ids=["en", "zh-Hans"])
def test_everything_of_a_hub_is_named(language: dict[str, Any]) -> None:
    menu = language["options"]["step"]["hub_menu"]["menu_options"]
    assert set(menu) == {*HubOptionsFlow.MENU}
    for where in ("config", "options"):
        errors = language[where]["error"]
        assert {trouble.value for trouble in Trouble} <= set(errors)
        reasons = {f"hub_file_{reason}" for reason in FileReason}
        assert reasons | {"hub_file_needed", "hub_file_unreadable"} <= set(errors)
    options = language["selector"]
    assert set(options["hub_rules"]["options"]) == {*PRESETS, OWN_RULES}
    assert set(options["hub_flows"]["options"]) == {*Flow}
    assert set(options["hub_level"]["options"]) == {*Level}
    assert set(options["hub_duration"]["options"]) == {str(one) for one in ASKED_DURATIONS}
    assert set(options["hub_grain"]["options"]) == {*Grain}
    assert set(options["hub_scope"]["options"]) == {*Scope}
    assert set(options["hub_format"]["options"]) == {*ExportFormat}
    sensors = language["entity"]["sensor"]
    assert set(sensors["hub_link"]["state"]) == {*WorkerState}
    suppressed = sensors["community_day_energy"]["state_attributes"]["suppressed"]["state"]
    assert set(suppressed) == {*WhySuppressed}
    for what in ("link", "certificate", "recompute", "store"):
        assert f"{HUB_ISSUE}{what}" in language["issues"]
    for action in (
        SERVICE_COMMUNITY_REPORT,
        SERVICE_EXPORT_COMMUNITY,
        SERVICE_INVITE_HOME,
        SERVICE_RECOMPUTE_COMMUNITY,
        SERVICE_REMOVE_HOME,
    ):
        fields = SERVICES[action]["fields"]
        assert set(language["services"][action]["fields"]) == set(fields), action


def test_every_form_field_is_described() -> None:
    for where in ("config", "options"):
        for name, step in ENGLISH[where]["step"].items():
            assert set(step.get("data", {})) == set(step.get("data_description", {})), name
    for subentry in ENGLISH["config_subentries"].values():
        for name, step in subentry["step"].items():
            assert set(step.get("data", {})) == set(step.get("data_description", {})), name


def test_errors_that_protocols_share_name_the_one_that_was_tried() -> None:
    for where in (SITE, METER):
        for key in ("refused", "not_a_meter"):
            assert "{protocol}" in where["error"][key]
            assert "Modbus" not in where["error"][key]
