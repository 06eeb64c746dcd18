"""From a document to quantities: sums, alternatives, conditions, and whatever comes."""

from collections import Counter
from copy import deepcopy
import json
import math
from pathlib import Path

from hypothesis import given, settings as hypothesis_settings, strategies as st
import pytest
import yaml

from custom_components.carbon_meter.metering.json.extraction import Extractor, combined
from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.json.schema import HTTP
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.profile_schema import load_profile
from custom_components.carbon_meter.metering.quantities import QUANTITIES

PROFILES = load_profiles().of(JsonProfile)
PAYLOADS = Path(__file__).parents[2] / "fixtures" / "payloads"

HEAD = """\
id: t
vendor: V
name: N
models: [M]
phases: 1
protocol: http
requests: [{path: /}]
fields:
"""


def read(tmp_path: Path, fields: str, document: object) -> tuple[dict, list[str]]:
    path = tmp_path / "t.yaml"
    path.write_text(HEAD + fields)
    profile = load_profile(path, (HTTP,))
    assert isinstance(profile, JsonProfile)
    reading = Extractor(profile, {}).reading(document, 0.0)
    return dict(reading.values), [str(fault) for fault in reading.faults]


SUM = "  - {quantity: power, plus: [a, b], minus: [c], unit: kW}\n"


@pytest.mark.parametrize(
    ("document", "values", "faults"),
    [
        ({"a": 1.5, "b": "0.25", "c": 2}, {"power": -250}, []),
        ({"a": 1, "b": 1}, {}, []),
        ({"a": 1, "b": None, "c": 1}, {}, []),
        ({"a": 1, "b": "NA", "c": 1}, {}, []),
        ({"a": 1, "b": "?!", "c": 1}, {}, ["power (a + b - c): '?!' is not a number"]),
        ({}, {}, []),
    ],
)
def test_a_sum_is_known_when_all_of_it_is(tmp_path, document, values, faults) -> None:
    assert read(tmp_path, SUM, document) == (values, faults)


ALTERNATIVES = """\
  - {quantity: power, path: new, unit: W, when: version}
  - {quantity: power, path: old, unit: kW}
"""


@pytest.mark.parametrize(
    ("document", "values"),
    [
        ({"version": 2, "new": 5, "old": 7}, 5),
        ({"new": 5, "old": 7}, 7000),
        ({"version": 0, "new": 5}, 5),
        ({"version": 2, "old": 7}, 7000),
        ({"version": 2, "new": "NaN", "old": 7}, None),
        ({"version": 2, "new": "x", "old": 7}, None),
    ],
)
def test_the_first_way_that_applies_counts(tmp_path, document, values) -> None:
    assert read(tmp_path, ALTERNATIVES, document)[0].get("power") == values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


def sound(reading) -> None:
    for key, value in reading.values.items():
        assert isinstance(value, float)
        assert math.isfinite(value)
        assert abs(value) <= QUANTITIES[key].limit
        assert value >= 0 or not QUANTITIES[key].counter


def settings_of(profile: JsonProfile) -> dict:
    return {key: "0" for key, usual in profile.settings.items() if usual is None}


@given(document=JSON)
@hypothesis_settings(max_examples=50)
def test_any_document_gives_a_sound_reading(document) -> None:
    for profile in PROFILES.values():
        extractor = Extractor(profile, settings_of(profile))
        sound(extractor.reading(document, 0.0))
        extractor.is_valid(document)
        extractor.is_refused(document)


def documents(name: str) -> tuple[JsonProfile, dict, object]:
    """Return a capture's profile, settings and combined document."""
    capture = yaml.safe_load((PAYLOADS / f"{name}.yaml").read_text())
    profile = PROFILES[capture["profile"]]
    pages = {path: json.loads(text.strip().strip("#")) for path, text in capture["pages"].items()}
    named = {}
    for request in profile.requests:
        for path, page in pages.items():
            if path == request.path.replace("{channel}", "0"):
                named.setdefault(request.name, page)
    return profile, capture.get("settings", {}), combined(profile, named)


def leaves(document: object) -> list[tuple]:
    """Return the ways to all plain values; what is true or false has no nonsense."""
    if isinstance(document, dict):
        return [(key, *way) for key, inner in document.items() for way in leaves(inner)]
    if isinstance(document, list):
        return [(place, *way) for place, inner in enumerate(document) for way in leaves(inner)]
    return [] if isinstance(document, bool) else [()]


NAMES = sorted(path.stem for path in PAYLOADS.glob("*.yaml"))


@given(data=st.data(), name=st.sampled_from(NAMES))
@hypothesis_settings(max_examples=150)
def test_one_spoiled_value_spoils_no_other(data, name) -> None:
    profile, given_settings, document = documents(name)
    extractor = Extractor(profile, given_settings)
    whole = extractor.reading(document, 0.0)
    way = data.draw(st.sampled_from(leaves(document)))
    spoiled = deepcopy(document)
    holder = spoiled
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = data.draw(st.sampled_from([True, "x y", [[]], {"a": 1}, "1,2,3", 1e300]))

    reading = extractor.reading(spoiled, 0.0)

    sound(reading)
    assert not {fault.quantity for fault in reading.faults} & reading.values.keys()
    ways = Counter(field.quantity for field in profile.fields)
    for key, value in reading.values.items():
        # With several ways to a quantity another one may count now.
        assert value == whole.values.get(key) or ways[key] > 1, (key, way)
