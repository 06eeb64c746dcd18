"""Which numbers have come: true, bounded, and as an ack may tell them."""

from hypothesis import given, settings, strategies as st

from custom_components.carbon_meter.community.contract.answers import (
    MOST_RANGES,
    Ack,
    read_answer,
    write_answer,
)
from custom_components.carbon_meter.community.hub.numbers import MOST_SPILT, Numbers, Told

DIGEST = "0" * 64


def numbers_of(seqs: list[int]) -> Numbers:
    numbers = Numbers()
    for seq in seqs:
        numbers.add(seq, f"{seq:064x}")
    return numbers


def members(numbers: Numbers) -> set[int]:
    result = set(range(1, numbers.upto + 1))
    for first, last in numbers.also:
        result |= set(range(first, last + 1))
    return result


@given(st.lists(st.integers(1, 60)))
def test_they_are_the_numbers_that_came(seqs: list[int]) -> None:
    numbers = numbers_of(seqs)
    assert members(numbers) == set(seqs)
    assert numbers.highest == max(seqs, default=0)
    if seqs:
        assert numbers.digest == f"{max(seqs):064x}"
    before = numbers.upto
    for first, last in numbers.also:
        assert before + 1 < first <= last
        before = last


@given(st.lists(st.integers(1, 2**53 - 1), max_size=400))
def test_whatever_is_invented_they_stay_bounded_and_true(seqs: list[int]) -> None:
    numbers = numbers_of(seqs)
    assert len(numbers.also) <= MOST_RANGES
    told = set(seqs)
    assert all(first in told and last in told for first, last in numbers.also)


def named(tells: list[Told]) -> set[int]:
    result: set[int] = set()
    for told in tells:
        result |= set(range(1, told.upto + 1))
        for first, last in told.also:
            result |= set(range(first, last + 1))
    return result


def test_beyond_the_most_ranges_the_lowest_are_told_and_forgotten() -> None:
    numbers = numbers_of(list(range(2, 2 + 2 * (MOST_RANGES + 5), 2)))
    assert numbers.also[0] == (12, 12)
    assert len(numbers.also) == MOST_RANGES
    assert numbers.upto == 0
    low, high = numbers.tell()
    assert low.also == tuple((seq, seq) for seq in range(2, 12, 2))
    assert low.digest == f"{10:064x}"
    assert high.also == tuple(numbers.also)
    assert numbers.spilt == []
    assert not numbers.is_owed


def test_what_waits_to_be_told_is_bounded() -> None:
    numbers = numbers_of(list(range(2, 2 * (MOST_SPILT + 2 * MOST_RANGES), 2)))
    assert len(numbers.spilt) == MOST_SPILT
    assert len(numbers._spilt_digests) == MOST_SPILT
    assert len(numbers._digests) == MOST_RANGES


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.permutations(range(2, 700, 2)).map(lambda seqs: seqs[:300]),
            st.lists(st.integers(1, 700), max_size=60),
        ),
        max_size=4,
    )
)
def test_all_that_came_since_the_last_time_is_told_and_nothing_else(parts: list[list[int]]) -> None:
    """Every ack can be sent, and its digest is that of the footprint it ends with."""
    numbers, ever = Numbers(), set[int]()
    for part in parts:
        for seq in part:
            numbers.add(seq, f"{seq:064x}")
        ever |= set(part)
        if not ever:
            continue
        tells = [*numbers.tell()]
        assert set(part) <= named(tells) <= ever
        for told in tells:
            ack = Ack(
                community="c", home="h", boot="b", upto=told.upto, also=told.also,
                digest=told.digest,
            )  # fmt: skip
            assert read_answer(*write_answer(ack)) == ack
            assert ack.digest == f"{ack.highest:064x}"


def test_the_digest_is_that_of_the_last_word_on_the_highest_number() -> None:
    numbers = numbers_of([3, 5])
    numbers.add(4, DIGEST)
    assert numbers.digest == f"{5:064x}"
    numbers.add(5, DIGEST)
    assert numbers.digest == DIGEST
