"""What is shown never shows fewer than k homes, whatever an attacker adds and subtracts."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Cell, CellKey, Scope, Sums
from custom_components.carbon_meter.community.privacy.members import Members
from custom_components.carbon_meter.community.privacy.publish import (
    PublicCell,
    Reason,
    published,
    shown,
)
from custom_components.carbon_meter.community.privacy.rules import (
    PILOT,
    PRESETS,
    PUBLIC,
    STANDARD,
    Rules,
)

SERIES = (Flow.GRID_IMPORT, Kind.AVERAGE)
FEW = Rules(k=3, dominance=1.0, clear_only=True)
"""Small numbers, so that few homes already make a difference."""

type Part = tuple[int, int, int]
"""Home, hour and revision."""


def members(parts: Iterable[Part], *, wh=100, estimated=(), factor=(), clear=True) -> Members:
    rows = sorted(parts)
    return Members(
        home=np.array([home for home, _, _ in rows], dtype=np.int64),
        part=np.array([(h * 1000 + t) * 10 + r for h, t, r in rows], dtype=np.int64),
        wh=np.array([wh(row) if callable(wh) else wh for row in rows], dtype=np.int64),
        estimated=np.array([row[0] in estimated for row in rows], dtype=np.bool_),
        factor=np.array([2 if row[0] in factor else 1 for row in rows], dtype=np.int64),
        clear=clear,
    )


def cell(
    whose: Members,
    name: str = "village",
    scope: Scope = Scope.COMMUNITY,
    grain: Grain = Grain.DAY,
    begin: int = 0,
) -> Cell:
    total = int(whose.wh.sum())
    estimated = int(whose.wh[whose.estimated].sum())
    return Cell(
        key=CellKey(
            grain=grain, begin=begin, scope=scope, name=name, flow=SERIES[0], kind=SERIES[1]
        ),
        end=begin + 86400,
        homes=len(np.unique(whose.home)),
        expected=99,
        sums=Sums(
            periods=len(whose.home),
            wh=total,
            mg=total * 123 + 7,
            carbon_free=1,
            known=total,
            measured=total - estimated,
            estimated=estimated,
            covered=3600 * 10000,
            seconds=3600,
            unsynced=0,
        ),
        lowest=1,
        highest=2,
        revision=4,
        changed_at=0,
    )


def show(*asked: tuple[Cell, Members], rules: Rules = STANDARD, earlier=()) -> list[PublicCell]:
    return published(
        [each for each, _ in asked],
        {each.key: whose for each, whose in asked},
        rules,
        earlier={SERIES: earlier},
    )


def reasons(cells: list[PublicCell]) -> list[Reason | None]:
    return [each.suppressed for each in cells]


def homes(*numbers: range, hours: range = range(1), revision: int = 0) -> set[Part]:
    return {(home, hour, revision) for some in numbers for home in some for hour in hours}


def test_a_large_cell_is_shown_without_single_homes() -> None:
    whose = members(homes(range(15)))
    [public] = show((cell(whose), whose))
    assert (public.suppressed, public.homes, public.wh, public.mg) == (None, 15, 1500, 184507)
    assert (public.expected, public.coverage, public.estimated, public.revision) == (99, 100, 0, 4)
    assert not {"lowest", "highest"} & set(PublicCell.__slots__)


def test_a_small_cell_shows_nothing_but_the_reason() -> None:
    whose = members(homes(range(14), hours=range(24)))
    asked = cell(whose)
    [public] = show((asked, whose))
    assert public == PublicCell(key=asked.key, end=asked.end, suppressed=Reason.FEW)


@pytest.mark.parametrize(("most", "reason"), [(335, None), (336, Reason.DOMINANT)])
def test_a_home_above_15_percent_hides_the_cell(most: int, reason: Reason | None) -> None:
    """335 of 335 + 19 * 100 are 14.99 %."""
    whose = members(homes(range(20)), wh=lambda row: most if row[0] == 0 else 100)
    assert reasons(show((cell(whose), whose))) == [reason]


def test_dominance_is_of_the_whole_day() -> None:
    """A home that is large for one hour does not hide a day."""
    whose = members(
        homes(range(20), hours=range(24)), wh=lambda row: 500 if row[:2] == (0, 0) else 9
    )
    assert reasons(show((cell(whose), whose))) == [None]


def test_the_community_less_its_feeders() -> None:
    """Two feeders of 20 and 14 homes behind none: community - north - south would be those."""
    north, south = homes(range(20)), homes(range(20, 40))
    everybody = north | south | homes(range(40, 54))
    asked = [
        (everybody, "village", Scope.COMMUNITY),
        (north, "north", Scope.FEEDER),
        (south, "south", Scope.FEEDER),
    ]
    found = show(
        *((cell(members(parts), name, scope), members(parts)) for parts, name, scope in asked)
    )
    assert reasons(found) == [None, None, Reason.DIFFERENCE]


def test_a_small_feeder_takes_another_with_it() -> None:
    """Community minus all feeders but the small one would be the small one."""
    feeders = [homes(range(20)), homes(range(20, 40)), homes(range(40, 45))]
    whole = members(set().union(*feeders))
    found = show(
        (cell(whole), whole),
        *(
            (cell(members(parts), f"feeder-{n}", Scope.FEEDER), members(parts))
            for n, parts in enumerate(feeders)
        ),
    )
    assert reasons(found) == [None, None, Reason.DIFFERENCE, Reason.FEW]


def test_groups_that_almost_agree() -> None:
    one, other = members(homes(range(20))), members(homes(range(1, 21)))
    found = show((cell(one, "one", Scope.GROUP), one), (cell(other, "other", Scope.GROUP), other))
    assert reasons(found) == [None, Reason.DIFFERENCE]


def test_a_corrected_cell_is_shown_when_enough_homes_have_changed() -> None:
    before = homes(range(30))
    late = members(before | homes(range(30, 31)))
    one_corrected = members(before - {(3, 0, 0)} | {(3, 0, 1)})
    withdrawn = members(before - {(3, 0, 0)})
    restated = members(homes(range(15)) | homes(range(15, 30), revision=1))
    for now, reason in (
        (members(before), None),
        (late, Reason.DIFFERENCE),
        (one_corrected, Reason.DIFFERENCE),
        (withdrawn, Reason.DIFFERENCE),
        (restated, None),
    ):
        assert reasons(show((cell(now), now), earlier=[members(before)])) == [reason]


def test_hours_against_their_day() -> None:
    """A day of those who told all of it, and hours of whoever told them: one joined at noon."""
    stayed = homes(range(20), hours=range(24))
    day = members(stayed)
    hours = []
    for hour in range(24):
        parts = {part for part in stayed if part[1] == hour} | (
            {(20, hour, 0)} if hour > 11 else set()
        )
        hours.append((cell(members(parts), grain=Grain.HOUR, begin=hour * 3600), members(parts)))
    found = show((cell(day), day), *hours)
    assert reasons(found) == [None, *[None] * 12, *[Reason.DIFFERENCE] * 12]
    whole = members(stayed | homes(range(20, 21), hours=range(12, 24)))
    assert reasons(show((cell(whole), whole), *hours)) == [None] * 25


def test_a_suppressed_hour_is_not_its_day_less_the_others() -> None:
    hours = [homes(range(20 if hour else 9), hours=range(hour, hour + 1)) for hour in range(3)]
    day = members(set().union(*hours))
    found = show(
        (cell(day), day),
        *(
            (cell(members(parts), grain=Grain.HOUR, begin=n * 3600), members(parts))
            for n, parts in enumerate(hours)
        ),
    )
    assert reasons(found) == [None, Reason.FEW, None, Reason.DIFFERENCE]


def test_few_that_estimate_are_not_told_apart() -> None:
    parts = homes(range(40))
    some, many = members(parts, estimated=range(3)), members(parts, estimated=range(20))
    assert show((cell(some), some))[0].estimated is None
    assert show((cell(many), many))[0].estimated == 2000


def test_few_with_another_intensity_make_carbon_rounded() -> None:
    parts = homes(range(40))
    some, many = members(parts, factor=range(3)), members(parts, factor=range(20))
    [rounded] = show((cell(some), some))
    assert (rounded.wh, rounded.mg, rounded.is_rounded) == (4000, 490_000, True)
    [exact] = show((cell(many), many))
    assert (exact.mg, exact.is_rounded) == (492_007, False)
    assert len(shown([rounded], {rounded.key: some})[SERIES]) == 1
    assert len(shown([exact], {exact.key: many})[SERIES]) == 3


def test_what_was_shown_includes_what_was_told_of_it() -> None:
    whose = members(homes(range(60)), estimated=range(20, 40), factor=range(20))
    found = show((cell(whose), whose))
    sizes = [len(each.part) for each in shown(found, {found[0].key: whose})[SERIES]]
    assert sorted(sizes) == [20, 20, 40, 60]
    few = members(homes(range(2)))
    assert shown(show((cell(few), few)), {cell(few).key: few}) == {}


def test_pilot_shows_single_homes_that_consented_and_nobody_else() -> None:
    open_, closed = members({(1, 0, 0)}), members({(2, 0, 0)}, clear=False)
    found = show(
        (cell(open_, "one", Scope.GROUP), open_),
        (cell(closed, "two", Scope.GROUP), closed),
        rules=PILOT,
    )
    assert reasons(found) == [None, Reason.CONSENT]


def test_presets() -> None:
    assert (STANDARD.k, STANDARD.dominance, PUBLIC.k) == (15, 0.15, 100)
    assert set(PRESETS) == {"standard", "public", "pilot"}


@pytest.mark.parametrize(
    ("k", "dominance"), [(0, 0.5), (14, 0.15), (15, 0.2), (15, 0), (15, 1.5), (15, 0.05)]
)
def test_rules_that_protect_nobody_are_refused(k: int, dominance: float) -> None:
    with pytest.raises(ValueError, match=r"homes|rules"):
        Rules(k=k, dominance=dominance)


@st.composite
def structures(draw):
    """Return up to six cells of any homes, hours and revisions; nested, overlapping or equal."""
    universe = [(home, hour, 0) for home in range(9) for hour in range(2)]
    universe += [(home, 0, 1) for home in range(4)]
    chosen = draw(st.lists(st.sets(st.sampled_from(universe), min_size=1), min_size=1, max_size=6))
    if draw(st.booleans()):
        chosen.append(set().union(*chosen))
    return [frozenset(parts) for parts in chosen]


def smallest(cells: list[frozenset[Part]]) -> int | None:
    """Return of how few homes a figure can be that sums and differences of cells give.

    Any weights are allowed, so it is asked of each set of homes whether some combination is of
    these homes alone: the others' parts have to cancel while something is left.
    """
    parts = sorted(set().union(*cells))
    matrix = [[Fraction(int(part in each)) for part in parts] for each in cells]
    everybody = sorted({part[0] for part in parts})
    for few in range(1, len(everybody) + 1):
        for some in combinations(everybody, few):
            others = [n for n, part in enumerate(parts) if part[0] not in some]
            if _rank([[row[n] for n in others] for row in matrix]) < _rank(matrix):
                return few
    return None


def _rank(matrix: list[list[Fraction]]) -> int:
    rows, rank = [list(row) for row in matrix], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((n for n in range(rank, len(rows)) if rows[n][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for n in range(rank + 1, len(rows)):
            if factor := rows[n][column] / rows[rank][column]:
                rows[n] = [a - factor * b for a, b in zip(rows[n], rows[rank], strict=True)]
        rank += 1
    return rank


@settings(max_examples=150, deadline=None)
@given(structures(), st.integers(0, 3))
def test_no_combination_shows_fewer_than_k_homes(structure, already: int) -> None:
    """Cells in two releases, the second knowing the first."""
    asked = [
        (cell(members(parts), f"group-{n}", Scope.GROUP), members(parts))
        for n, parts in enumerate(structure)
    ]
    first = show(*asked[:already], rules=FEW) if already else []
    given_away = shown(first, {each.key: whose for each, whose in asked})
    second = show(*asked[already:], rules=FEW, earlier=given_away.get(SERIES, []))
    open_ = [
        parts
        for parts, public in zip(structure, [*first, *second], strict=False)
        if public.suppressed is None
    ]
    found = smallest(open_) if open_ else None
    assert found is None or found >= FEW.k


def test_the_attack_would_succeed_without_the_guard() -> None:
    everybody = frozenset(homes(range(6)))
    assert smallest([everybody, everybody - {(3, 0, 0)}]) == 1
