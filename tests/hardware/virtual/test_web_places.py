"""Where an expression points to, so that a virtual meter can write there."""

import jmespath
import pytest

from hardware.virtual.web.places import NoPlaceError, Where, found, put, steps_of


def steps(text: str):
    return steps_of(jmespath.compile(text).parsed)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", "b", "c")),
        ('"em:0".a', ("em:0", "a")),
        ("Datas[0][2]", ("Datas", 0, 2)),
        ("[0].p", (0, "p")),
        ("a.b || c", ("a", "b")),
        ("r[?obis=='1.8.0'] | [0].value", ("r", Where("obis", "1.8.0"), "value")),
        ("r[?obis=='1.8.0'] | [0]", ("r", Where("obis", "1.8.0"))),
    ],
)
def test_the_way_to_a_value(text, expected) -> None:
    assert steps(text) == expected


@pytest.mark.parametrize("text", ["sum(a)", "a[*].b", "a == b", "`1`"])
def test_what_is_computed_has_no_place(text) -> None:
    with pytest.raises(NoPlaceError):
        steps(text)


def test_a_value_is_put_where_it_is_found_again() -> None:
    page: dict = {"list": [{"name": "x", "value": 0, "unit": "kW"}]}
    for text, value in (("a.b[1].c", 5), ("list[?name=='x'] | [0]", 6), ("rows[0][2]", 7)):
        put(page, steps(text), value, create=True)
    put(page, steps("list[?name=='y'] | [0].value"), 8, create=True)
    assert page == {
        "a": {"b": [None, {"c": 5}]},
        "list": [{"name": "x", "value": 6, "unit": "kW"}, {"name": "y", "value": 8}],
        "rows": [[None, None, 7]],
    }
    assert jmespath.search("list[?name=='y'] | [0].value", page) == 8
    assert found(page, steps("rows[0][2]")) == 7
    assert found(page, steps("rows[1][2]")) is None


@pytest.mark.parametrize("text", ["b", "a.c", "list[3]", "list[?k=='v'] | [0].x"])
def test_a_page_that_is_given_is_not_enlarged(text) -> None:
    page = {"a": {}, "list": [1]}
    with pytest.raises(NoPlaceError):
        put(page, steps(text), 1, create=False)
    assert page == {"a": {}, "list": [1]}
