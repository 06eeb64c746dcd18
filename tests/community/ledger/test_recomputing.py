"""A recomputation in slices of places leaves none out and takes none twice."""

from hypothesis import given, strategies as st

from custom_components.carbon_meter.community.ledger.recomputing import slices

PLACES = st.dictionaries(st.integers(1, 500), st.integers(1, 120), max_size=40)


@given(places=PLACES, homes=st.integers(1, 200))
def test_every_place_is_in_one_slice_of_enough_homes(places: dict[int, int], homes: int) -> None:
    ranges = list(slices(sorted(places.items()), homes))
    held = [[place for place in sorted(places) if a <= place < b] for a, b in ranges]
    assert [place for each in held for place in each] == sorted(places)
    for each in held[:-1]:
        assert sum(places[place] for place in each) >= homes
    for each in held:
        assert sum(places[place] for place in each[:-1]) < homes


def test_without_homes_there_is_no_slice() -> None:
    assert list(slices([], 50)) == []
