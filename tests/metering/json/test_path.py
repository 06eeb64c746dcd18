"""Expressions, their placeholders, and what they cannot do."""

import pytest

from custom_components.carbon_meter.metering.json.path import Path
from custom_components.carbon_meter.metering.json.placeholders import filled

PAGE = {
    "emeters": [{"total": 1.5}, {"total": 0}],
    "1.8.0": "12 Wh",
    "em:0": {"a": 1},
    "actual": [{"name": "x", "value": 1}, {"name": "power_delivered", "value": 2}],
    "Datas": [[1, 2, 3]],
    "flag": False,
    "null": None,
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("emeters[0].total", 1.5),
        ("emeters[1].total", 0),
        ("emeters[1].total || emeters[0].total", 0),
        ("emeters[7].total", None),
        ('"1.8.0"', "12 Wh"),
        ('"em:0".a', 1),
        ("actual[?name=='power_delivered'] | [0].value", 2),
        ("Datas[0][2]", 3),
        ("missing || Datas[0][1]", 2),
        ("sum(Datas[0])", 6),
        ("sum(actual)", None),
        ("contains(`null`, 'x')", None),
        ("missing.deeper[0].still", None),
        ("emeters.total", None),
    ],
)
def test_what_an_expression_finds(text, found) -> None:
    assert Path.checked(text).bound({}).find(PAGE) == found


@pytest.mark.parametrize("document", [None, 1, "x", [], {}, float("nan"), True])
def test_another_form_of_page_has_nothing(document) -> None:
    path = Path.checked("sum(emeters[*].total)").bound({})
    assert path.find(document) in (None, 0)
    assert Path.checked("a.b[0]").bound({}).find(document) is None


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("flag", False),
        ("flag != `false`", False),
        ("missing != `false`", True),
        ('"null"', False),
        ("missing", False),
        ("emeters", True),
        ("emeters[1].total", True),
        ("sum(actual)", False),
    ],
)
def test_what_holds(text, holds) -> None:
    assert Path.checked(text).bound({}).holds(PAGE) is holds


@pytest.mark.parametrize("text", ["a[", "a b", "'", "f(x", "a.", "no_such(@)`"])
def test_what_is_no_expression(text) -> None:
    with pytest.raises(ValueError, match="not a JMESPath expression"):
        Path.checked(text)


def test_placeholders() -> None:
    path = Path.checked('emeters[{channel}].total || "em:{name}".a')
    assert path.settings == {"channel", "name"}
    assert path.bound({"channel": 1, "name": "0"}).find(PAGE) == 0
    with pytest.raises(ValueError, match="the setting 'name' is missing"):
        path.bound({"channel": 1})


@pytest.mark.parametrize("value", ['0"', "0]", "[0", "a'b", "`", "\\", "{x}", "a\nb", "a#b"])
def test_a_setting_means_no_more_than_itself(value) -> None:
    with pytest.raises(ValueError, match="cannot be the setting"):
        filled("x{channel}", {"channel": value})


def test_an_address_takes_a_setting_quoted() -> None:
    assert filled("/q?s={name}", {"name": "A b&c"}, lambda text: text.replace(" ", "%20")) == (
        "/q?s=A%20b&c"
    )
