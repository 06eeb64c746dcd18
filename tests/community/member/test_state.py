"""Ids and agreements of a membership: who tells what when, and what is kept of it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
import stat
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.consent import proof_of
from custom_components.carbon_meter.community.contract.message import DURATIONS, Flow, Level
from custom_components.carbon_meter.community.ledger.calendar import Calendar
from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.agreed import DAY, Agreed
from custom_components.carbon_meter.community.member.errors import MemberError
from custom_components.carbon_meter.community.member.identities import (
    Identity,
    asks_at,
    earlier,
    followed,
    new_secret,
    present,
    telling,
)
from custom_components.carbon_meter.community.member.state import Since, State

from .house import HOUR, agreed

BEGIN = 1_799_971_200


def identity(home: str, begins: int, **changes: object) -> Identity:
    return Identity(**{"home": home, "secret": new_secret(), "begins": begins, **changes})


def state(*identities: Identity, **changes: object) -> State:
    values = {
        "community": "street",
        "name": "The street",
        "broker": None,
        "authorities": "",
        "identities": identities or (identity("h1", BEGIN),),
        "agreements": (Since(start=BEGIN, agreed=agreed()),),
        "latest_at": BEGIN * 1000,
    }
    return State(**{**values, **changes})


@given(
    st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=12),
    st.integers(min_value=-100, max_value=1000),
)
def test_every_period_is_told_under_one_id(lengths: list[int], hour: int) -> None:
    identities = (identity("h0", BEGIN),)
    begins = BEGIN
    for number, days in enumerate(lengths, start=1):
        begins += days * DAY + 1800
        identities = followed(identities, identity(f"h{number}", begins, is_rotated=True))
    start = BEGIN + hour * HOUR
    for duration in (HOUR, DAY):
        teller = telling(identities, start, duration)
        if start < BEGIN:
            assert teller is None
        else:
            assert teller == present(identities, start + duration / 2)


@pytest.mark.clause("CM-44")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu"])
@pytest.mark.parametrize("duration", DURATIONS)
def test_an_id_tells_what_the_hub_counts_in_its_month(zone: str, duration: int) -> None:
    """Where midnight is at half past or at a quarter past, too."""
    calendar = Calendar(ZoneInfo(zone))
    begins = calendar.begin(date(2027, 3, 1))
    first = identity("h0", begins - 40 * DAY)
    identities = followed((first,), identity("h1", begins, is_rotated=True))
    near = begins - begins % DAY - DAY
    for start in range(near, near + 3 * DAY, duration):
        is_next = calendar.day(start, duration) >= begins
        assert telling(identities, start, duration) == identities[is_next]


def test_a_withdrawal_names_the_latest_sixty_ids() -> None:
    identities = tuple(identity(f"h{number}", BEGIN + number) for number in range(80))
    named = earlier(identities, "h79")
    assert [home for home, _ in named] == [f"h{number}" for number in range(19, 79)]
    assert all(proof_of(secret) == identities[int(home[1:])].proof for home, secret in named)


@given(st.integers(min_value=0, max_value=400 * DAY), st.integers(min_value=0, max_value=40 * DAY))
def test_the_next_id_is_asked_for_before_the_month_ends(begins: int, later: int) -> None:
    who, now = identity("h1", BEGIN + begins), BEGIN + begins + later
    asked = datetime.fromtimestamp(asks_at(who, now), UTC)
    ends = asked.replace(day=1, hour=0, minute=0, second=0).timestamp() + 32 * DAY
    month_ends = datetime.fromtimestamp(ends, UTC).replace(day=1, hour=0, minute=0, second=0)
    left = month_ends.timestamp() - asks_at(who, now)
    assert 2 * DAY - 1 <= left <= 10 * DAY
    assert asks_at(who, now) - who.begins >= 5 * DAY - 1


def test_certificates_are_renewed_after_two_fifths_of_their_life() -> None:
    who = identity("h1", BEGIN, holds_from=BEGIN, holds_until=BEGIN + 90 * DAY)
    assert not who.is_due(BEGIN + 36 * DAY - 1)
    assert who.is_due(BEGIN + 36 * DAY)
    assert not who.has_ended(BEGIN + 90 * DAY - 1)
    assert who.has_ended(BEGIN + 90 * DAY)
    assert not identity("h1", BEGIN).is_due(BEGIN + 900 * DAY)


agreements = st.builds(
    Agreed,
    text=st.sampled_from(("joining@1", "joining@2")),
    level=st.sampled_from(Level),
    duration=st.sampled_from((900, HOUR, DAY)),
    flows=st.lists(st.sampled_from(Flow), min_size=1, max_size=9, unique=True).map(tuple),
)


@given(
    st.lists(st.tuples(agreements, st.integers(min_value=0, max_value=3 * DAY)), max_size=6),
    st.integers(min_value=0, max_value=20 * DAY),
)
def test_nobody_has_agreed_to_show_more_of_the_past(
    changes: list[tuple[Agreed, int]], after: int
) -> None:
    """For no period may leave what was not agreed to at all times since it began."""
    now = float(BEGIN)
    held = state(agreements=(Since(start=BEGIN, agreed=agreed(flows=tuple(Flow))),))
    spoken = [(now, held.agreed)]
    for changed, later in changes:
        now += later
        held = held.agreeing(changed, now)
        spoken.append((now, changed))
    start = BEGIN + after
    may = held.agreed_for(start)
    assert may.within(held.agreed)
    for place, (at, then) in enumerate(spoken):
        until = spoken[place + 1][0] if place + 1 < len(spoken) else float("inf")
        if until > start and at != until:
            assert may.within(then)


def test_widening_holds_from_the_next_midnight() -> None:
    now = BEGIN + 5 * HOUR
    narrow = agreed(flows=(Flow.PV,), duration=DAY)
    held = state(agreements=(Since(start=BEGIN, agreed=narrow),)).agreeing(agreed(), now)
    assert held.agreed_for(BEGIN + 6 * HOUR).duration == DAY
    assert held.agreed_for(BEGIN + 6 * HOUR).flows == (Flow.PV,)
    assert held.agreed_for(BEGIN + DAY) == agreed()


@pytest.mark.parametrize("late", [0.0, 0.001, 0.4, 0.999, 1.0, HOUR - 0.001])
def test_an_hour_that_began_a_moment_ago_is_not_the_next(late: float) -> None:
    assert kept.next_hour(BEGIN + late) == (BEGIN + HOUR if late else BEGIN)
    assert kept.next_hour(BEGIN - 0.001) == BEGIN


@pytest.mark.parametrize("late", [0.0, 0.4])
def test_more_is_shown_of_no_day_that_had_begun(late: float) -> None:
    narrow = agreed(flows=(Flow.PV,))
    held = state(agreements=(Since(start=BEGIN - DAY, agreed=narrow),))
    wider = held.agreeing(agreed(), BEGIN + late)
    assert wider.agreed_for(BEGIN) == (narrow if late else agreed())
    assert wider.agreed_for(BEGIN + DAY) == agreed()


def test_agreements_are_in_order_wherever_the_clock_is() -> None:
    held = state()
    moments = []
    for now in (BEGIN + 50, BEGIN - 90 * DAY, BEGIN - 91 * DAY, BEGIN + 60):
        held = held.agreeing(agreed(), now)
        moments.append(held.identities[0].consented_at)
    assert moments == sorted(set(moments))
    assert moments[0] > BEGIN * 1000


@pytest.mark.clause("CM-36")
def test_a_new_consent_comes_after_the_first_one_of_a_later_id() -> None:
    """That one is of when the id began; then the clock was set back by an hour."""
    begins = BEGIN + 30 * DAY
    later = identity("h2", begins, is_rotated=True, consented_at=begins * 1000)
    held = state(*followed((identity("h1", BEGIN - DAY),), later), latest_at=BEGIN * 1000)
    again = held.agreeing(agreed(flows=(Flow.PV,)), begins + HOUR)
    assert again.identities[1].consented_at == (begins + HOUR) * 1000
    early = replace(held, identities=(replace(later, begins=begins - DAY),))
    changed = early.agreeing(agreed(flows=(Flow.PV,)), begins - HOUR).identities
    assert changed[0].consented_at == begins * 1000 + 1


def test_a_changed_agreement_does_not_tell_which_ids_are_one_home() -> None:
    now = BEGIN + 70 * DAY
    past, speaking = identity("h1", BEGIN, is_known=True), identity("h2", BEGIN + 60 * DAY)
    coming = identity("h3", BEGIN + 90 * DAY, is_rotated=True, consented_at=7)
    held = state(*followed(followed((past,), replace(speaking, is_rotated=True)), coming))
    changed = held.agreeing(agreed(flows=(Flow.PV,)), now).identities
    assert changed[0] == held.identities[0]
    assert changed[1].consented_at == now * 1000
    assert changed[2] == held.identities[2]


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    who = identity("h1", BEGIN, holds_from=1, holds_until=2, consented_at=3, is_known=True)
    held = state(who, identity("h2", BEGIN + DAY), withdrawn_at=5, deleted=2)
    held = held.agreeing(agreed(flows=(Flow.GAS,)), BEGIN + 10)
    kept.save(tmp_path / "home", held)
    assert kept.load(tmp_path / "home") == held
    assert stat.S_IMODE((tmp_path / "home" / kept.FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"version": 9}', b'{"version": 1}', b"\xff\xfe", b'"x"'],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / kept.FILE).write_bytes(content)
    with pytest.raises(MemberError, match=kept.FILE):
        kept.load(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(MemberError):
        kept.load(tmp_path / "nowhere")
