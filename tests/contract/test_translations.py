"""What users read exists in English and Simplified Chinese, for everything that is shown."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.carbon_meter import const
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.sensor import ACCOUNT_SENSORS, SITE_SENSORS

PACKAGE = Path(const.__file__).parent
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
    keys = {description.translation_key for description in (*ACCOUNT_SENSORS, *SITE_SENSORS)}
    assert set(sensors) == {*QUANTITIES, *keys, "carbon_intensity"}
    assert set(language["selector"]["role"]["options"]) == set(const.Role)
    assert set(language["options"]["step"]["init"]["menu_options"]) == set(const.Source)
    grades = sensors["carbon_intensity"]["state_attributes"]["grade"]["state"]
    assert set(grades) == set(Grade)
    assert set(sensors["coverage"]["state_attributes"]) == set(Grade)


def test_every_key_that_the_code_uses_exists() -> None:
    used: set[tuple[str, str]] = set()
    for path in PACKAGE.glob("*.py"):
        source = path.read_text()
        used |= {
            ("exceptions", key)
            for key in re.findall(
                r'translation_key="(\w+)",\n\s+translation_placeholders=\{\n\s+"meter"', source
            )
        }
        used |= {("issues", key) for key in re.findall(r'_raise_issue\(\s*"(\w+)"', source)}
        used |= {("error", key) for key in re.findall(r'ProbeError\("(\w+)"', source)}
        used |= {("error", key) for key in re.findall(r'            return "(\w+)"', source)}
        used |= {("abort", key) for key in re.findall(r'async_abort\(\s*reason="(\w+)"', source)}
    assert {section for section, _ in used} == {"exceptions", "issues", "error", "abort"}
    config = ENGLISH["config"]
    for section, key in used:
        where = config[section] if section in config else ENGLISH[section]
        assert key in where, (section, key)


def test_every_form_field_is_described() -> None:
    for where in ("config", "options"):
        for name, step in ENGLISH[where]["step"].items():
            assert set(step.get("data", {})) == set(step.get("data_description", {})), name
    for name, step in ENGLISH["config_subentries"]["meter"]["step"].items():
        assert set(step.get("data", {})) == set(step.get("data_description", {})), name
