"""The fewest requests, and where a refused one is parted."""

from itertools import pairwise

from hypothesis import given, strategies as st

from custom_components.carbon_meter.metering.modbus.blocks import Block, Span, plan_blocks
from custom_components.carbon_meter.metering.modbus.registers import Function


def span(address: int, words: int = 1, *, alone: bool = False, holding: bool = True) -> Span:
    function = Function.HOLDING if holding else Function.INPUT
    return Span(function=function, address=address, words=words, alone=alone)


spans = st.lists(
    st.builds(span, st.integers(0, 40), st.integers(1, 4), holding=st.booleans()),
    max_size=7,
)


def fewest(wanted: list[Span], limit: int) -> int:
    """Return the least number of windows that hold all spans, by trying every grouping."""
    if not wanted:
        return 0
    first, *rest = wanted
    best = len(wanted)
    for chosen in range(1 << len(rest)):
        group = [first, *(item for bit, item in enumerate(rest) if chosen >> bit & 1)]
        left = [item for bit, item in enumerate(rest) if not chosen >> bit & 1]
        low = min(item.address for item in group)
        if len(group) == 1 or max(item.end for item in group) - low <= limit:
            best = min(best, 1 + fewest(left, limit))
    return best


@given(spans, st.integers(4, 45))
def test_no_grouping_takes_fewer_requests(wanted, limit) -> None:
    blocks = plan_blocks(wanted, limit)

    for function in Function:
        mine = [block for block in blocks if block.function is function]
        asked = list({item for item in wanted if item.function is function})
        assert len(mine) == fewest(asked, limit)


@given(
    st.lists(
        st.builds(
            span,
            st.integers(0, 300),
            st.integers(1, 4),
            alone=st.booleans(),
            holding=st.booleans(),
        ),
        max_size=40,
    ),
    st.integers(1, 125),
)
def test_every_span_is_in_one_request_within_the_limit(wanted, limit) -> None:
    blocks = plan_blocks(wanted, limit)

    planned = [item for block in blocks for item in block.spans]
    assert sorted(planned) == sorted(set(wanted))
    for block in blocks:
        assert all(item.function is block.function for item in block.spans)
        assert block.address == min(item.address for item in block.spans)
        assert block.address + block.words == max(item.end for item in block.spans)
        assert len(block.spans) == 1 or not any(item.alone for item in block.spans)
        longest = max(item.words for item in block.spans)
        assert block.words <= max(limit, longest)


def test_the_limit_counts_registers_and_holes() -> None:
    wanted = [span(0, 2), span(8, 2)]

    assert [block.words for block in plan_blocks(wanted, 10)] == [10]
    assert [block.words for block in plan_blocks(wanted, 9)] == [2, 2]


def test_a_register_to_be_read_alone_does_not_part_its_neighbours() -> None:
    blocks = plan_blocks([span(0), span(1, alone=True), span(2)], 125)

    assert sorted((block.address, block.words) for block in blocks) == [(0, 3), (1, 1)]


def test_holding_and_input_registers_are_different_memories() -> None:
    blocks = plan_blocks([span(0), span(1, holding=False), span(2)], 125)

    assert [(block.function, block.words) for block in blocks] == [
        (Function.HOLDING, 3),
        (Function.INPUT, 1),
    ]


def test_a_span_longer_than_the_limit_is_asked_for_all_the_same() -> None:
    assert [block.words for block in plan_blocks([span(0, 4), span(4, 1)], 2)] == [4, 1]


def test_nothing_to_read_takes_no_request() -> None:
    assert plan_blocks([], 10) == ()


def test_a_refused_request_is_parted_at_the_widest_hole() -> None:
    first, second = Block(spans=(span(0), span(2), span(9, 2), span(12))).split()

    assert [item.address for item in first.spans] == [0, 2]
    assert [item.address for item in second.spans] == [9, 12]


def test_a_wide_span_covers_the_hole_between_two_short_ones() -> None:
    """From 0 to 9 nothing is missing: the hole is at 10."""
    first, second = Block(spans=(span(0, 10), span(1), span(8), span(12))).split()

    assert [item.address for item in first.spans] == [0, 1, 8]
    assert [item.address for item in second.spans] == [12]


def test_without_a_hole_a_request_is_halved() -> None:
    first, second = Block(spans=tuple(span(address) for address in range(6))).split()

    assert (len(first.spans), len(second.spans)) == (3, 3)


@given(spans.filter(lambda wanted: len(set(wanted)) > 1))
def test_parting_ends_at_single_spans_and_loses_none(wanted) -> None:
    whole = Block(spans=tuple(sorted({span(item.address, item.words) for item in wanted})))
    pending, singles = [whole], []
    while pending:
        block = pending.pop()
        if len(block.spans) == 1:
            singles.append(block)
        else:
            pending += block.split()

    assert sorted(block.spans[0] for block in singles) == list(whole.spans)


@given(spans)
def test_the_order_in_which_spans_are_given_makes_no_difference(wanted) -> None:
    blocks = plan_blocks(wanted, 20)

    assert plan_blocks(reversed(wanted), 20) == blocks
    assert plan_blocks(wanted + wanted, 20) == blocks
    keys = [(block.function, block.address) for block in blocks]
    assert all(before <= after for before, after in pairwise(keys))
