"""How many homes a scope has in a time, against plain counting."""

from itertools import pairwise

from hypothesis import given, strategies as st

from custom_components.carbon_meter.community.ledger.roll import Roll

SCOPES = {
    1: (("community", "c"), ("feeder", "north")),
    2: (("community", "c"), ("feeder", "south")),
    3: (("community", "c"), ("feeder", "south"), ("group", "flats")),
}


@st.composite
def stays(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """A home's stays: one after the other, with gaps or without, some of no length."""
    days = sorted(draw(st.lists(st.integers(0, 20), min_size=2, max_size=7)))
    found = []
    for first, last in pairwise(days):
        place = draw(st.integers(0, 3))
        if place:
            found.append((first, last, place))
    return found


@given(
    homes=st.lists(stays(), max_size=12),
    begin=st.integers(-1, 21),
    length=st.integers(1, 8),
)
def test_each_home_counts_once_where_it_was(
    homes: list[list[tuple[int, int, int]]], begin: int, length: int
) -> None:
    roll, end = Roll(homes, SCOPES), begin + length
    for where in {where for scopes in SCOPES.values() for where in scopes}:
        there = [
            any(
                where in SCOPES[place] and first < last and first < end and last > begin
                for first, last, place in home
            )
            for home in homes
        ]
        assert roll.count(where, begin, end) == sum(there)


def test_nobody_is_in_a_scope_that_is_not_known() -> None:
    assert Roll([[(0, 5, 1)]], SCOPES).count(("feeder", "east"), 0, 5) == 0
