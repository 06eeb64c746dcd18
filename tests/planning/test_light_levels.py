"""What a lamp is given, and what it is given back, whatever happens in between."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.planning.light_levels import Dimmed, dimmed, restored

NOW = 1_800_000_000.0
LEVELS = st.integers(1, 255)
SHARES = st.floats(0.3, 1.0)


def dim(known: Dimmed | None, level: int | None, share: float, now: float) -> Dimmed | None:
    return dimmed(known, level, share, transition=60.0, now=now)


def restore(known: Dimmed | None, level: int | None, now: float) -> Dimmed | None:
    return restored(known, level, transition=60.0, now=now)


@given(LEVELS, SHARES)
def test_a_share_and_back(level: int, share: float) -> None:
    known = dim(None, level, share, NOW)
    if known is None:
        # No difference that anybody would see.
        assert level * (1 - share) <= 5
        return
    assert known.given == max(1, round(level * share))
    # Asked again, nothing changes.
    assert dim(known, known.given, share, NOW + 300) is known
    back = restore(known, known.given, NOW + 600)
    assert back is not None
    assert back.given == level
    assert restore(back, level, NOW + 900) is None


@given(LEVELS, st.lists(SHARES, min_size=1, max_size=6))
def test_many_shares_are_all_of_its_own_level(level: int, shares: list[float]) -> None:
    known, now, is_at = None, NOW, level
    for share in shares:
        now += 300.0
        known = dim(known, is_at, share, now)
        is_at = known.given if known is not None else level
    assert known is None or known.before == level
    back = restore(known, is_at, now + 300.0)
    assert (level if back is None else back.given) == pytest.approx(level, abs=4)


@given(LEVELS, SHARES, LEVELS)
def test_nobodys_level_is_undone(level: int, share: float, by_hand: int) -> None:
    known = dim(None, level, share, NOW)
    if known is None or abs(by_hand - known.given) <= 4:
        return
    released = dim(known, by_hand, share, NOW + 300)
    assert released is not None
    assert released.is_released
    assert dim(released, by_hand, 0.5, NOW + 600) is released
    assert restore(released, by_hand, NOW + 900) is None
    assert restore(known, by_hand, NOW + 300) is None


def test_on_the_way_it_is_not_taken_for_somebodys() -> None:
    known = dim(None, 255, 0.8, NOW)
    assert known is not None
    assert dim(known, 230, 0.8, NOW + 30) is known
    brighter = dim(known, 255, 0.8, NOW + 300)
    assert brighter is not None
    assert brighter.is_released


def test_dimmed_again_on_its_way_back_it_keeps_its_own_level() -> None:
    known = dim(None, 255, 0.8, NOW)
    back = restore(known, 204, NOW + 300)
    again = dim(back, 220, 0.8, NOW + 330)
    assert again is not None
    assert (again.before, again.given) == (255, 204)
    # Where it had time to arrive, it has what somebody gave it.
    later = dim(back, 100, 0.8, NOW + 900)
    assert later is not None
    assert (later.before, later.given) == (100, 80)


def test_one_that_is_off_waits() -> None:
    known = dim(None, 255, 0.8, NOW)
    assert dim(known, None, 0.8, NOW + 300) is known
    assert restore(known, None, NOW + 600) is known
    assert dim(None, None, 0.8, NOW) is None


@given(LEVELS, LEVELS, LEVELS, st.booleans(), st.booleans())
def test_survives_a_restart(
    before: int, level: int, start: int, is_released: bool, is_returning: bool
) -> None:
    known = Dimmed(
        before=before,
        given=level,
        start=start,
        at=NOW,
        transition=60.0,
        is_released=is_released,
        is_returning=is_returning,
    )
    assert Dimmed.from_dict(known.as_dict()) == known


@pytest.mark.parametrize(
    "change", [{"before": 0}, {"given": 256}, {"start": "full"}, {"at": None}, {"transition": []}]
)
def test_refuses_what_is_no_lamp(change: dict[str, object]) -> None:
    known = Dimmed(before=255, given=204, start=255, at=NOW, transition=60.0)
    with pytest.raises((TypeError, ValueError)):
        Dimmed.from_dict(known.as_dict() | change)
    with pytest.raises(KeyError):
        Dimmed.from_dict({})
