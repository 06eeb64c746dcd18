"""Profile files of JSON meters: what is wrong is named with its line."""

from fractions import Fraction
from pathlib import Path

import pytest

from custom_components.carbon_meter.datafile import DataFileError
from custom_components.carbon_meter.metering.json.profile import AuthKind, JsonProfile
from custom_components.carbon_meter.metering.json.schema import HTTP, MQTT
from custom_components.carbon_meter.metering.profile_schema import load_profile
from custom_components.carbon_meter.metering.quantities import QUANTITIES

PAGE = """\
id: test
vendor: Test
name: T
models: [T]
phases: 1
protocol: http
auth: {kind: api_key, header: X-Key}
settings: {channel: 0, name: null}
requests:
  - {name: a, path: "/a?c={channel}", optional: true}
  - {name: b, path: /b, unless: a, headers: {X-Version: "2"}}
probe:
  path: /who
  match: probe.type == 'T'
  instances: {setting: channel, among: "keys(answer)", prefix: "em:"}
identity: {serial: probe.mac}
valid: a.ok
not_available: [-1, Gone]
fields:
  - {quantity: power, path: "a.p[{channel}]", unit: kW, scale: 0.1, when: a.x, sources: [s]}
  - {quantity: power, plus: [a.i], minus: [a.e], unit: W}
  - {quantity: energy_import, path: '"{name}".total', unit: kWh, not_available: [0]}
sources: {s: somewhere}
"""

TOPIC = """\
id: test
vendor: Test
name: T
models: [T]
phases: 1
protocol: mqtt
settings: {device: null}
max_age: 20
time: ts
topics:
  - {name: a, topic: "x/{device}/a"}
  - {name: a, topic: "x/{device}/e", select: 'params."em:{device}"', partial: true}
announcements:
  - topic: x/+/a
    match: payload.power
    settings: {device: "topic[1]"}
    identity: {serial: payload.mac}
    certain: false
fields:
  - {quantity: power, path: power, unit: W}
"""


def load(tmp_path: Path, text: str) -> JsonProfile:
    path = tmp_path / "test.yaml"
    path.write_text(text)
    profile = load_profile(path, (HTTP, MQTT))
    assert isinstance(profile, JsonProfile)
    return profile


def test_a_profile_with_pages_is_what_the_file_says(tmp_path) -> None:
    profile = load(tmp_path, PAGE)
    assert profile.quantities == ("power", "energy_import")
    assert [field.coding.factor for field in profile.fields] == [100, 1, 1000]
    assert profile.fields[0].coding.not_available == {Fraction(-1), "gone"}
    assert profile.fields[2].coding.not_available == {Fraction(-1), "gone", Fraction(0)}
    assert profile.names == ("a", "b")
    assert (profile.auth.kind, profile.auth.header) == (AuthKind.API_KEY, "X-Key")
    assert profile.requests[1].headers == {"X-Version": "2"}
    assert profile.probe.instances.prefix == "em:"
    assert profile.probe.certain
    assert profile.settings == {"channel": 0, "name": None}


def test_a_profile_with_topics_is_what_the_file_says(tmp_path) -> None:
    profile = load(tmp_path, TOPIC)
    assert profile.max_age == 20
    assert profile.names == ("a",)
    assert profile.topics[1].partial
    assert not profile.announcements[0].certain
    assert profile.requests == ()


@pytest.mark.parametrize(
    ("text", "wrong", "line", "message"),
    [
        (PAGE, ("a.p[{channel}]", "a.p["), 20, "not a JMESPath expression"),
        (PAGE, ("a.p[{channel}]", "a.p[{place}]"), 20, "there is no setting place"),
        (PAGE, ("quantity: power, plus", "quantity: might, plus"), 21, "not a quantity"),
        (PAGE, ("unit: kW,", "unit: A,"), 20, "does not fit power"),
        (PAGE, ("plus: [a.i], minus: [a.e], ", ""), 21, "give a path, or plus and minus"),
        (PAGE, ("plus: [a.i]", "path: x, plus: [a.i]"), 21, "way"),
        (PAGE, ("path: /b", "path: b"), 11, "from the first slash on"),
        (PAGE, ("path: /b", "path: //b"), 11, "from the first slash on"),
        (PAGE, ("path: /b", "path: /b c"), 11, "%20 for a space"),
        (PAGE, ("unless: a", "unless: z"), 11, "no other page has the name z"),
        (PAGE, ("unless: a", "unless: b"), 11, "no other page has the name b"),
        (PAGE, ("kind: api_key, header: X-Key", "kind: api_key"), 7, "the name of its header"),
        (PAGE, ("kind: api_key", "kind: basic"), 7, "the name of its header"),
        (PAGE, ("kind: api_key", "kind: kerberos"), 7, "kind of authentication"),
        (PAGE, ("path: /who", "path: /who{channel}"), 13, "cannot depend on settings"),
        (PAGE, ("probe.type ==", "probe[{name}] =="), 14, "cannot depend on settings"),
        (PAGE, ("keys(answer)", "keys(answer[{name}])"), 15, "cannot depend on settings"),
        (PAGE, ("valid: a.ok", "valid: 'a[{place}]'"), 17, "there is no setting place"),
        (PAGE, ("serial: probe.mac", "serial: 'probe[{place}]'"), 16, "there is no setting place"),
        (TOPIC, ("match: payload.power", "match: 'payload[{device}]'"), 14, "cannot depend on"),
        (TOPIC, ("time: ts", "time: 'ts[{place}]'"), 9, "there is no setting place"),
        (PAGE, ("setting: channel", "setting: place"), 15, "there is no setting place"),
        (PAGE, ("channel: 0", "channel: 0.5"), 8, "a text, a whole number or null"),
        (PAGE, ("[-1, Gone]", "[[]]"), 18, "a number or a text"),
        (PAGE, ("valid: a.ok", "valid: 7"), 17, "must be a JMESPath expression"),
        (PAGE, ("requests:", "topics: []\nrequests:"), 9, "topics"),
        (TOPIC, ("x/{device}/a", "x/+/a"), 11, "no wildcard"),
        (TOPIC, ("x/{device}/a", "x/{place}/a"), 11, "there is no setting place"),
        (TOPIC, ("em:{device}", "em:{place}"), 12, "there is no setting place"),
        (TOPIC, ('{device: "topic[1]"}', '{place: "topic[1]"}'), 16, "there is no setting place"),
        (TOPIC, ("max_age: 20", "max_age: 0"), 8, "seconds above 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, wrong, line, message) -> None:
    assert wrong[0] in text
    with pytest.raises(DataFileError, match=message) as caught:
        load(tmp_path, text.replace(wrong[0], wrong[1], 1))
    assert caught.value.problems[0].line == line


def test_what_every_packaged_profile_has(profiles) -> None:
    protocols = {profile.protocol for profile in profiles.values()}
    assert protocols == {"http", "mqtt"}
    for profile in profiles.values():
        assert {"power", "energy_import"} <= set(profile.quantities), profile.id
        assert set(profile.quantities) <= set(QUANTITIES)
        assert profile.probe or profile.announcements, profile.id
        assert profile.sources, profile.id
        for field in profile.fields:
            assert field.sources, (profile.id, field.quantity)
            assert set(field.sources) <= set(profile.sources), (profile.id, field.quantity)


def test_all_families_that_are_known_are_there(profiles) -> None:
    assert len([each for each in profiles.values() if each.protocol == "http"]) >= 22
    assert len([each for each in profiles.values() if each.protocol == "mqtt"]) >= 8
