"""The forms of loads: their words, their size, and what is kept of them."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any

from homeassistant.helpers.config_validation import custom_serializer
from hypothesis import given, strategies as st
import probatio
import pytest

from custom_components.carbon_meter import const
from custom_components.carbon_meter.flows.load_checks import minutes_between
from custom_components.carbon_meter.flows.load_defaults import filled_in
from custom_components.carbon_meter.flows.load_fields import BODIES, HEAT_SOURCES, THERMAL_CONTROLS
from custom_components.carbon_meter.flows.load_forms import KINDS, LoadForm, body_form, form_of
from custom_components.carbon_meter.flows.load_values import form_values, load_data
from custom_components.carbon_meter.loads.keys import LoadKind

TRANSLATIONS = Path(const.__file__).parent / "translations"
TEXTS = {
    language: json.loads((TRANSLATIONS / f"{language}.json").read_text())
    for language in ("en", "zh-Hans")
}


def every_form() -> Iterator[LoadForm]:
    """Yield each form that can be shown."""
    for kind in KINDS:
        yield form_of(kind)
    for body in BODIES:
        for source in HEAT_SOURCES:
            for control in THERMAL_CONTROLS:
                yield body_form(body, source, control)


@pytest.mark.parametrize("language", TEXTS)
def test_every_field_section_and_choice_has_words(language: str) -> None:
    texts = TEXTS[language]
    load = texts["config_subentries"]["load"]
    asked: dict[str, set[str]] = {}
    sections: dict[tuple[str, str], set[str]] = {}
    for form in every_form():
        asked.setdefault(form.step, set()).update(form.fields)
        for name, inside in form.sections.items():
            sections.setdefault((form.step, name), set()).update(inside)
    assert set(load["step"]) == {"user", *asked}
    assert set(load["step"]["user"]["menu_options"]) == set(LoadKind)
    for step, fields in asked.items():
        told = load["step"][step]
        assert set(told["data"]) == set(told["data_description"]) == fields
        assert set(told.get("sections", {})) == {name for at, name in sections if at == step}
    for (step, name), inside in sections.items():
        told = load["step"][step]["sections"][name]
        assert set(told["data"]) == set(told["data_description"]) == inside
    for form in every_form():
        schema = form.schema(titles={"a": "A"}, currency="EUR")
        for field in selectors_in(schema):
            if key := field.config.get("translation_key"):
                named = set(texts["selector"][key]["options"])
                assert set(field.config["options"]) <= named


def selectors_in(schema: probatio.Schema) -> Iterator[Any]:
    """Yield the selectors of a form, those in sections too."""
    for field in schema.schema.values():
        if hasattr(field, "schema"):
            yield from selectors_in(field.schema)
        elif hasattr(field, "config"):
            yield field


def test_every_form_can_be_sent_to_the_frontend() -> None:
    for form in every_form():
        schema = form.schema(titles={"a": "A"}, currency="EUR")
        fields = probatio.to_field_list(schema, custom_serializer=custom_serializer)
        folded = {field["name"] for field in fields if field.get("type") == "expandable"}
        assert folded == set(form.sections)
        # A default of a section would hide what is suggested inside of it.
        assert not [field for field in fields if "default" in field]
        assert json.loads(json.dumps(fields)) == fields


def test_no_form_begins_with_what_nobody_said() -> None:
    # The frontend begins what is needed, and not suggested, with the least number or first choice.
    for form in every_form():
        schema = form.schema(titles={}, currency="EUR").schema
        for key in form.needed - set(filled_in(form.step)):
            field = schema[key].config
            assert field.get("min", 0) == 0, key
            assert "options" not in field, key


def test_every_form_fits_a_phone() -> None:
    for form in every_form():
        assert len(form.needed) <= 6, form.step
        assert form.needed <= set(form.fields), form.step
        assert len(form.every_key) == len(set(form.every_key)), form.step


@given(st.data())
def test_what_is_kept_stands_in_the_form_again(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(list(every_form())))
    time = st.times().map(lambda one: one.replace(microsecond=0).isoformat())
    amount = st.floats(0, 1e6)
    special = {
        "stages": st.lists(st.integers(1, 9000).map(str), min_size=1, max_size=4),
        "phases": st.sampled_from(["1", "3"]),
        "learn": st.booleans(),
    }
    times = {"quiet_from", "quiet_to", "finish_by", "from", "to", "ready_by", "hygiene_by"}
    keys = data.draw(st.sets(st.sampled_from([key for key in form.every_key if key != "name"])))
    if "level" in form.every_key:
        # Of a car without it, what is told in per cent is not kept.
        keys = keys | {"level"}
    values = {
        key: data.draw(special.get(key, time if key in times else amount)) for key in sorted(keys)
    }
    kept = load_data(LoadKind.EV, form, values)
    assert set(kept) == {"kind", *keys}
    standing = form.flat(form.nested(form_values(kept, "Name")))
    assert standing.pop("name", "Name") == "Name"
    assert load_data(LoadKind.EV, form, standing) == kept


@given(st.times(), st.times())
def test_windows_reach_to_the_next_such_time(first: Any, second: Any) -> None:
    there = minutes_between(first.isoformat(), second.isoformat())
    back = minutes_between(second.isoformat(), first.isoformat())
    assert 0 < there <= 1440
    assert there + back == pytest.approx(2880 if there == back == 1440 else 1440)
