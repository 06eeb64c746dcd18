"""Which numbers have come: true, bounded, and as an ack may tell them."""

from hypothesis import given, strategies as st

from custom_components.carbon_meter.community.contract.answers import MOST_RANGES
from custom_components.carbon_meter.community.hub.numbers import Numbers

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


def test_beyond_the_most_ranges_the_lowest_are_left_out() -> None:
    numbers = numbers_of(list(range(2, 2 + 2 * (MOST_RANGES + 5), 2)))
    assert numbers.also[0] == (12, 12)
    assert len(numbers.also) == MOST_RANGES
    assert numbers.upto == 0


def test_the_digest_is_that_of_the_last_word_on_the_highest_number() -> None:
    numbers = numbers_of([3, 5])
    numbers.add(4, DIGEST)
    assert numbers.digest == f"{5:064x}"
    numbers.add(5, DIGEST)
    assert numbers.digest == DIGEST
