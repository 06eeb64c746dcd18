"""One bucket: what is shown never shows fewer than k homes, whatever an attacker adds up."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.community.privacy.given import Asked, Given
from custom_components.carbon_meter.community.privacy.partition import decide
from custom_components.carbon_meter.community.privacy.parts import (
    Parts,
    homes_of,
    keys,
    overlapping,
    periods_of,
)
from custom_components.carbon_meter.community.privacy.publish import Reason, reason_of
from custom_components.carbon_meter.community.privacy.rules import (
    PRESETS,
    PUBLIC,
    STANDARD,
    Rules,
)
from custom_components.carbon_meter.community.privacy.sums import Content, content_of

FEW = Rules(k=3, dominance=1.0, clear_only=True)
"""Small numbers, so that few homes already make a difference."""

VILLAGE = ("community", "village")
DAY = 1_800_000_000 // 86400 * 86400

type Part = tuple[int, int, int]
"""Home, hour and revision."""


def key_of(parts: Iterable[Part]) -> np.ndarray:
    rows = np.array(sorted(parts), dtype=np.int64).reshape(-1, 3)
    hours = np.full(len(rows), 3600, dtype=np.int64)
    return keys(rows[:, 0], DAY + 3600 * rows[:, 1], hours, rows[:, 2], DAY)


def made(parts: Iterable[Part], *, wh=100, estimated=(), factor=(), clear=True) -> Parts:
    rows = sorted(parts)
    amounts = np.array([wh(row) if callable(wh) else wh for row in rows], dtype=np.int64)
    others = np.array([row[0] in factor for row in rows], dtype=np.bool_)
    return Parts(
        key=key_of(rows),
        home=np.array([row[0] for row in rows], dtype=np.int64),
        place=np.ones(len(rows), dtype=np.int64),
        wh=amounts,
        mg=amounts * np.where(others, 900, 400),
        carbon_free=amounts // 2,
        covered=np.full(len(rows), 36_000_000, dtype=np.int64),
        seconds=np.full(len(rows), 3600, dtype=np.int64),
        periods=np.ones(len(rows), dtype=np.int64),
        is_estimated=np.array([row[0] in estimated for row in rows], dtype=np.bool_),
        stratum=np.where(others, 2, 1) + 10 * np.array([row[1] for row in rows], dtype=np.int64),
        knows_free=np.ones(len(rows), dtype=np.bool_),
        is_clear=np.full(len(rows), clear, dtype=np.bool_),
    )


def homes(*numbers: range, hour: int = 0, revision: int = 0) -> set[Part]:
    return {(home, hour, revision) for some in numbers for home in some}


def show(now: Parts, scopes=None, *, before: Given | None = None, rules: Rules = STANDARD) -> Given:
    """Decide with scopes as sets of parts, the whole first."""
    masks = [(VILLAGE, np.ones(len(now), dtype=np.bool_))]
    for name, parts in (scopes or {}).items():
        masks.append((("group", name), np.isin(now.key, key_of(parts))))
    return decide(before or Given(), Asked(parts=now, scopes=masks), rules).given


def content(given: Given, name: str | None = None) -> Content | None:
    held = given.holds.get(VILLAGE if name is None else ("group", name))
    return None if held is None else content_of(given.classes[number] for number in held)


def homes_in(given: Given, name: str | None = None) -> set[int]:
    held = given.holds.get(VILLAGE if name is None else ("group", name), ())
    return set(homes_of(given.key[np.isin(given.label, held)]).tolist())


def test_a_large_cell_is_shown() -> None:
    found = content(show(made(homes(range(15)))))
    assert found is not None
    assert (found.wh, found.mg, found.carbon_free, found.estimated) == (1500, 600_000, 750, 0)
    assert (found.periods, found.seconds, found.is_exact) == (15, 54000, True)


def test_a_small_cell_is_not() -> None:
    few = made(homes(range(14)))
    assert content(show(few)) is None
    assert reason_of(few, STANDARD) is Reason.FEW


@pytest.mark.parametrize(("most", "is_shown"), [(335, True), (336, False)])
def test_a_home_above_15_percent_hides_the_cell(most: int, is_shown: bool) -> None:
    """335 of 335 + 19 * 100 are 14.99 %."""
    parts = made(homes(range(20)), wh=lambda row: most if row[0] == 0 else 100)
    assert (content(show(parts)) is not None) == is_shown
    if not is_shown:
        assert reason_of(parts, STANDARD) is Reason.DIFFERENCE


def test_the_community_less_its_feeders() -> None:
    """Two feeders of 20 and 14 homes behind none: community - north - south would be those."""
    everybody = homes(range(54))
    given = show(made(everybody), {"north": homes(range(20)), "south": homes(range(20, 40))})
    assert len(homes_in(given, "north")) == 20
    assert content(given, "south") is None


def test_groups_that_almost_agree() -> None:
    given = show(made(homes(range(50))), {"one": homes(range(20)), "other": homes(range(1, 21))})
    assert len(homes_in(given, "one")) == 20
    assert content(given, "other") is None


@pytest.mark.parametrize(
    ("now", "homes_shown"),
    [
        (homes(range(31)), 30),
        (homes(range(1, 30)), 30),
        (homes(range(1, 30)) | {(0, 0, 1)}, 30),
        (homes(range(15)) | homes(range(15, 30), revision=1), 30),
        (homes(range(14)) | homes(range(14, 30), revision=1), 30),
        (homes(range(45)), 45),
        (homes(range(15)), 15),
        (homes(range(30), revision=1), 30),
    ],
)
def test_before_and_after_a_change(now: set[Part], homes_shown: int) -> None:
    first = homes(range(30))
    before = show(made(first))
    after = show(made(now, wh=lambda part: 100 if part in first else 90), before=before)
    found = content(after)
    assert found is not None
    assert len(homes_in(after)) == homes_shown
    held = np.isin(after.label, after.holds[VILLAGE])
    revisions = periods_of(after.key[held], DAY)[2].tolist()
    shown = set(zip(homes_of(after.key[held]).tolist(), [0] * 99, revisions, strict=False))
    assert found.wh == sum(100 if part in first else 90 for part in shown)


def test_a_large_home_that_changed_is_not_left_over() -> None:
    """Of the 20 that are corrected one may have dominated: nobody knows any more, so nothing is."""
    before = show(made(homes(range(60)), wh=lambda row: 800 if row[0] == 0 else 100))
    now = homes(range(20), revision=1) | homes(range(20, 60))
    assert content(show(made(now), before=before)).wh == 60 * 100 + 700


def test_few_that_estimate_are_not_told_apart() -> None:
    parts = homes(range(40))
    assert content(show(made(parts, estimated=range(3)))).estimated is None
    assert content(show(made(parts, estimated=range(20)))).estimated == 2000


def test_few_with_another_intensity_count_like_the_others() -> None:
    parts = homes(range(40))
    few = content(show(made(parts, factor=range(3))))
    assert (few.wh, few.mg, few.is_exact) == (4000, 4000 * 400, False)
    many = content(show(made(parts, factor=range(20))))
    assert (many.mg, many.is_exact) == (2000 * 1300, True)


def test_where_every_home_has_its_own_intensity_no_carbon_is_said() -> None:
    parts = made({(home, home, 0) for home in range(20)})
    found = content(show(parts))
    assert (found.wh, found.mg, found.carbon_free) == (2000, None, None)


def test_pilot_shows_homes_that_consented_and_nobody_else() -> None:
    closed = made(homes(range(3)), clear=False)
    assert content(show(closed, rules=FEW)) is None
    assert reason_of(closed, FEW) is Reason.CONSENT
    assert content(show(made(homes(range(3))), rules=FEW)).wh == 300


def test_presets() -> None:
    assert (STANDARD.k, STANDARD.dominance, PUBLIC.k) == (15, 0.15, 100)
    assert set(PRESETS) == {"standard", "public", "pilot"}


@pytest.mark.parametrize(
    ("k", "dominance"), [(0, 0.5), (14, 0.15), (15, 0.2), (15, 0), (15, 1.5), (15, 0.05)]
)
def test_rules_that_protect_nobody_are_refused(k: int, dominance: float) -> None:
    with pytest.raises(ValueError, match=r"homes|rules"):
        Rules(k=k, dominance=dominance)


@given(
    st.lists(
        st.tuples(
            st.integers(0, (1 << 21) - 1),
            st.integers(-12, 25),
            st.sampled_from([900, 1800, 3600, 86400]),
            st.integers(0, (1 << 31) - 1),
        ),
        max_size=20,
    )
)
def test_a_key_says_all_of_a_part(rows) -> None:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    home, start, duration, revision = columns[0], DAY + 3600 * columns[1], columns[2], columns[3]
    found = keys(home, start, duration, revision, DAY)
    assert homes_of(found).tolist() == home.tolist()
    again = periods_of(found, DAY)
    assert [each.tolist() for each in again] == [
        start.tolist(),
        duration.tolist(),
        revision.tolist(),
    ]


@given(st.data())
def test_overlapping_is_sharing_time(data) -> None:
    part = st.tuples(
        st.integers(0, 2), st.integers(0, 12), st.sampled_from([900, 1800, 3600, 86400])
    )
    some, others = data.draw(st.lists(part, max_size=6)), data.draw(st.lists(part, max_size=6))

    def as_keys(rows):
        columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        start = np.where(columns[2] == 86400, DAY, DAY + 900 * columns[1])
        return keys(columns[0], start, columns[2], np.zeros(len(rows), dtype=np.int64), DAY)

    def span(row):
        start = 0 if row[2] == 86400 else 900 * row[1]
        return start, start + row[2]

    expected = [
        any(
            one[0] == other[0] and span(one)[0] < span(other)[1] and span(other)[0] < span(one)[1]
            for other in others
        )
        for one in some
    ]
    assert overlapping(as_keys(some), as_keys(others)).tolist() == expected


@st.composite
def releases(draw):
    """Return up to three moments: who has told what by then, and which groups there are."""
    universe = [(home, hour, 0) for home in range(8) for hour in range(2)]
    universe += [(home, 0, 1) for home in range(5)]
    moments = []
    for _ in range(draw(st.integers(1, 3))):
        told = draw(st.sets(st.sampled_from(universe), min_size=1))
        # The latest revision of each is what counts.
        told = {part for part in told if (part[0], part[1], 1) not in told or part[2] == 1}
        groups = {
            name: told & draw(st.sets(st.sampled_from(universe)))
            for name in draw(st.sets(st.sampled_from(["one", "other", "third"])))
        }
        moments.append((told, groups))
    return moments


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


def shown_parts(given: Given) -> list[frozenset[Part]]:
    """Return of which parts each shown cell is."""
    result = []
    for held in given.holds.values():
        chosen = given.key[np.isin(given.label, held)]
        start, _, revision = periods_of(chosen, DAY)
        result.append(
            frozenset(
                zip(
                    homes_of(chosen).tolist(),
                    ((start - DAY) // 3600).tolist(),
                    revision.tolist(),
                    strict=True,
                )
            )
        )
    return result


@settings(max_examples=150, deadline=None)
@given(releases())
def test_no_combination_shows_fewer_than_k_homes(moments) -> None:
    """Of all cells of all moments together."""
    given = Given()
    cells: list[frozenset[Part]] = []
    for told, groups in moments:
        given = show(made(told), groups, before=given, rules=FEW)
        cells += shown_parts(given)
        for number, sums in given.classes.items():
            assert sums.homes == len(np.unique(homes_of(given.key[given.label == number])))
            assert sums.wh == 100 * sums.parts == 100 * int((given.label == number).sum())
    found = smallest(cells) if cells else None
    assert found is None or found >= FEW.k


def test_the_attack_would_succeed_without_the_guard() -> None:
    everybody = frozenset(homes(range(6)))
    assert smallest([everybody, everybody - {(3, 0, 0)}]) == 1
