"""The desk: who is let in, once, under which name, and what becomes of it when things go wrong."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
import sqlite3

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.authority.invitation import read_invitation
from custom_components.carbon_meter.community.contract.certificates import (
    Declined,
    SigningRequest,
    Wanted,
)
from custom_components.carbon_meter.community.contract.refusal import Code
from custom_components.carbon_meter.community.hub.certifying import MOST_RENEWALS, WARY
from custom_components.carbon_meter.community.hub.control import NoControl
from custom_components.carbon_meter.community.hub.desk import PATIENCE, Desk, DeskError
from custom_components.carbon_meter.community.hub.registry import State
from tests.community.hub.street import COMMUNITY, TERMS, ZONE, Street, moment

NOW = moment(2026, 11, 5, 14, 30)
FIRST = date(2026, 12, 1)
DECEMBER = moment(2026, 12, 1)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    street = Street(tmp_path, now=NOW)
    yield street
    street.close()


def declined(answer: object) -> str:
    assert isinstance(answer, Declined), answer
    assert answer.code is Code.CERTIFICATE
    return answer.detail


# Coming


def test_an_invitation_leads_to_a_member(street: Street) -> None:
    invitation = street.desk.invite(street.now, feeder="north", groups=["school", "pv"])
    assert read_invitation(invitation.as_text(), street.now) == invitation
    home = invitation.home
    assert street.doors.tokens == {home: invitation.token}
    assert street.doors.homes == []

    issued = street.issued(home, keys.new_key(), Wanted.ENROL)
    assert issued.begins <= street.now < issued.ends
    assert street.doors.homes == [home]
    assert street.ledger.homes == ()

    street.desk.heard(home, street.now)
    assert street.doors.tokens == {}
    assert street.desk.consented(home, street.now)
    assert street.ledger.homes == (home,)
    (member,) = street.desk.homes()
    assert member.state is State.ENROLLED
    assert member.since == date(2026, 11, 5)
    assert (member.feeder, member.groups) == ("north", ("pv", "school"))
    assert member.ends == issued.ends
    assert member.invited_until is None


def test_ids_and_tokens_name_nobody(street: Street) -> None:
    invitations = [street.desk.invite(street.now) for _ in range(20)]
    assert len({invitation.home for invitation in invitations}) == 20
    assert len({invitation.token for invitation in invitations}) == 20
    for invitation in invitations:
        assert len(invitation.home) == 13
        assert len(invitation.token) == 32


def test_the_token_is_kept_nowhere(street: Street) -> None:
    invitation = street.desk.invite(street.now)
    street.close()
    for path in street.folder.rglob("*"):
        if path.is_file():
            assert invitation.token.encode() not in path.read_bytes()
    street.open()


@pytest.mark.clause("CM-41")
def test_the_answer_that_was_lost_is_given_again(street: Street) -> None:
    home = street.desk.invite(street.now).home
    key = keys.new_key()
    first = street.issued(home, key, Wanted.ENROL)
    street.restart()
    street.now += 3600
    assert street.issued(home, key, Wanted.ENROL) == first
    assert street.doors.homes == [home]


@pytest.mark.clause("CM-41")
def test_an_invitation_is_good_for_one_key(street: Street) -> None:
    home = street.desk.invite(street.now).home
    street.issued(home, keys.new_key(), Wanted.ENROL)
    assert "used" in declined(street.ask(home, keys.new_key(), Wanted.ENROL))


@pytest.mark.clause("CM-41")
def test_who_is_not_invited_gets_nothing(street: Street) -> None:
    for wanted in Wanted:
        declined(street.ask("hnobody", keys.new_key(), wanted))
    home = street.desk.invite(street.now).home
    for wanted in (Wanted.RENEW, Wanted.ROTATE):
        declined(street.ask(home, keys.new_key(), wanted))
    assert street.doors.homes == []


def test_an_invitation_runs_out(street: Street) -> None:
    home = street.desk.invite(street.now, days=14).home
    street.now += 14 * DAY
    assert "run out" in declined(street.ask(home, keys.new_key(), Wanted.ENROL))
    street.desk.turn(street.now)
    assert street.doors.tokens == {}
    assert street.desk.homes() == ()


@pytest.mark.clause("CM-41")
def test_a_key_belongs_to_one_id(street: Street) -> None:
    _, key = street.join()
    other = street.desk.invite(street.now).home
    assert "another home" in declined(street.ask(other, key, Wanted.ENROL))


@pytest.mark.clause("CM-39")
def test_a_bad_request_is_declined_and_leaves_the_invitation(street: Street) -> None:
    home = street.desk.invite(street.now).home
    request = SigningRequest(
        community=COMMUNITY, home=home, at=0, wanted=Wanted.ENROL, csr="garbage"
    )
    declined(street.desk.signing(request, street.now))
    elsewhere = replace(request, community="elsewhere", csr=keys.csr_for(keys.new_key(), "x"))
    declined(street.desk.signing(elsewhere, street.now))
    street.issued(home, keys.new_key(), Wanted.ENROL)


def test_who_lost_the_key_is_invited_again_under_the_same_id(street: Street) -> None:
    home, lost = street.join()
    again = street.desk.reinvite(home, street.now)
    assert again.home == home
    assert street.doors.tokens == {home: again.token}
    street.issued(home, keys.new_key(), Wanted.ENROL)
    declined(street.ask(home, lost, Wanted.ENROL))
    assert street.authority is not None
    assert "BEGIN X509 CRL" in street.desk.crl_pem(street.now)
    # What was lost was revoked, and nothing else is.
    assert street.authority.revoke(home, now=street.now) == 1
    with pytest.raises(DeskError, match="no member"):
        street.desk.reinvite("hnobody", street.now)


@pytest.mark.clause("CM-41")
def test_an_invitation_that_was_used_for_the_same_key_is_used(street: Street) -> None:
    home, key = street.join()
    street.desk.reinvite(home, street.now)
    street.issued(home, key, Wanted.ENROL)
    assert "used" in declined(street.ask(home, keys.new_key(), Wanted.ENROL))


def test_an_invitation_for_a_home_that_still_speaks_stays_open(street: Street) -> None:
    home, _ = street.join()
    again = street.desk.reinvite(home, street.now)
    street.desk.heard(home, street.now)
    assert street.desk.consented(home, street.now)
    assert street.doors.tokens == {home: again.token}
    street.issued(home, keys.new_key(), Wanted.ENROL)
    street.desk.heard(home, street.now)
    assert street.doors.tokens == {}


def test_a_home_counts_from_the_day_that_was_agreed(street: Street) -> None:
    home, _ = street.join(since=date(2026, 10, 1))
    assert street.ledger.expected(int(moment(2026, 10, 1)), int(moment(2026, 10, 2))) == 1
    assert street.ledger.expected(int(moment(2026, 9, 30)), int(moment(2026, 10, 1))) == 0
    assert street.desk.homes()[0].since == date(2026, 10, 1)
    assert street.ledger.homes == (home,)


def test_without_a_consent_nobody_counts(street: Street) -> None:
    home = street.desk.invite(street.now).home
    street.issued(home, keys.new_key(), Wanted.ENROL)
    street.desk.heard(home, street.now)
    street.desk.turn(street.now)
    assert street.ledger.homes == ()
    assert not street.desk.consented("hnobody", street.now)
    street.now += PATIENCE
    street.desk.turn(street.now)
    assert street.desk.homes() == ()
    assert street.doors.homes == []


def test_who_was_signed_by_hand_is_in_with_the_first_consent(street: Street) -> None:
    """An operator may sign a request by himself; only a certificate can send a consent."""
    home = street.desk.invite(street.now, feeder="north").home
    street.desk.heard(home, street.now)
    assert street.desk.consented(home, street.now)
    assert street.ledger.homes == (home,)
    assert "used" in declined(street.ask(home, keys.new_key(), Wanted.ENROL))


# Staying


@pytest.mark.clause("CM-43")
def test_a_certificate_is_renewed_for_a_new_key(street: Street) -> None:
    home, first_key = street.join()
    street.now += 60 * DAY
    key = keys.new_key()
    renewed = street.issued(home, key, Wanted.RENEW)
    assert renewed.ends == renewed.begins + 90 * DAY
    assert renewed.begins <= street.now
    street.restart()
    assert street.issued(home, key, Wanted.RENEW) == renewed
    # The key before is no more that of a certificate which holds here: it makes a new one.
    again = street.issued(home, first_key, Wanted.RENEW)
    assert again.certificate != renewed.certificate


@pytest.mark.clause("CM-43")
def test_one_home_cannot_have_certificates_without_end(street: Street) -> None:
    home, _ = street.join()
    street.now += 60 * DAY
    for _ in range(MOST_RENEWALS):
        street.issued(home, keys.new_key(), Wanted.RENEW)
    assert "on one day" in declined(street.ask(home, keys.new_key(), Wanted.RENEW))
    street.now += DAY
    street.issued(home, keys.new_key(), Wanted.RENEW)


@pytest.mark.clause("CM-41")
@pytest.mark.parametrize("wanted", [Wanted.RENEW, Wanted.ROTATE])
def test_who_has_the_token_cannot_renew_in_the_name_of_the_home(street: Street, wanted) -> None:
    """The token still opens the door for enrolment, where requests of all kinds can be sent."""
    home = street.desk.invite(street.now).home
    street.issued(home, keys.new_key(), Wanted.ENROL)
    assert "invitation is open" in declined(street.ask(home, keys.new_key(), wanted))
    street.now += 60
    street.desk.heard(home, street.now)
    street.now += WARY - 1
    assert "invitation is open" in declined(street.ask(home, keys.new_key(), wanted))
    street.now += 1
    street.issued(home, keys.new_key(), wanted)


def test_answers_carry_all_authorities_that_hold(street: Street, tmp_path: Path) -> None:
    home, _ = street.join()
    street.now += 60 * DAY
    later = Authority.load(tmp_path / "authority").rotate(now=street.now)
    street.restart()
    renewed = street.issued(home, keys.new_key(), Wanted.RENEW)
    assert renewed.authorities == later.bundle
    assert renewed.authorities.count("BEGIN CERTIFICATE") == 2


def test_a_home_that_moves_counts_elsewhere_from_today(street: Street) -> None:
    home, _ = street.join(feeder="north")
    street.now += 3 * DAY
    street.desk.move(home, street.now, feeder="south", groups=["b", "a"])
    (member,) = street.desk.homes()
    assert (member.feeder, member.groups) == ("south", ("a", "b"))
    with pytest.raises(DeskError):
        street.desk.move("hnobody", street.now)


# Another id


@pytest.mark.clause("CM-44")
def test_another_id_begins_with_a_month(street: Street) -> None:
    home, _ = street.join(feeder="north", groups=["pv"])
    street.now += 2 * DAY
    key = keys.new_key()
    issued = street.issued(home, key, Wanted.ROTATE)
    assert issued.begins == DECEMBER
    assert issued.subject != home
    street.restart()
    assert street.issued(home, key, Wanted.ROTATE) == issued
    assert "already" in declined(street.ask(home, keys.new_key(), Wanted.ROTATE))
    # Nobody sees it coming before the day on which all change.
    street.desk.turn(street.now)
    assert [member.id for member in street.desk.homes()] == [home]
    assert street.doors.homes == [home]
    assert not street.desk.consented(issued.subject, street.now)

    street.now = DECEMBER - 3600
    street.desk.turn(street.now)
    assert sorted(street.doors.homes) == sorted([home, issued.subject])
    states = {member.id: member.state for member in street.desk.homes()}
    assert states == {home: State.LEFT, issued.subject: State.ENROLLED}
    # The answer may have been lost until now.
    assert street.issued(home, key, Wanted.ROTATE) == issued
    assert "no member" in declined(street.ask(home, keys.new_key(), Wanted.RENEW))

    street.now = DECEMBER + 7200
    assert street.desk.consented(issued.subject, street.now)
    assert street.desk.consented(home, street.now)
    november, december = int(moment(2026, 11, 30)), int(DECEMBER)
    for begin in (november, december):
        assert street.ledger.expected(begin, begin + DAY) == 1
    assert street.ledger.expected(begin, begin + DAY, scope="feeder", name="north") == 1

    street.now += WARY
    street.issued(issued.subject, keys.new_key(), Wanted.ROTATE)


@pytest.mark.clause("CM-44")
def test_on_the_last_day_it_is_the_month_after(street: Street) -> None:
    home, _ = street.join()
    street.now = DECEMBER - DAY
    issued = street.issued(home, keys.new_key(), Wanted.ROTATE)
    assert issued.begins == moment(2027, 1, 1)
    street.desk.turn(street.now)
    assert [member.id for member in street.desk.homes()] == [home]


@pytest.mark.clause("CM-44")
def test_another_id_has_another_key(street: Street) -> None:
    home, key = street.join()
    street.now += WARY
    assert "another key" in declined(street.ask(home, key, Wanted.ROTATE))
    _, others = street.join()
    street.now += WARY
    assert "another key" in declined(street.ask(home, others, Wanted.ROTATE))


def test_an_old_id_goes_when_its_certificate_has_ended(street: Street) -> None:
    home, _ = street.join()
    street.now += 2 * DAY
    after = street.issued(home, keys.new_key(), Wanted.ROTATE).subject
    street.now = DECEMBER
    street.desk.turn(street.now)
    assert street.desk.consented(after, street.now)
    street.now = NOW + 91 * DAY
    street.desk.turn(street.now)
    assert street.doors.homes == [after]
    assert [member.id for member in street.desk.homes()] == [after]
    assert street.ledger.homes == tuple(sorted([home, after]))


# Going


def test_who_has_withdrawn_needs_another_invitation(street: Street) -> None:
    home, key = street.join(feeder="north")
    street.ledger.withdraw(home)
    street.desk.withdrawn(home)
    assert not street.desk.consented(home, street.now)
    assert street.doors.homes == [home]
    declined(street.ask(home, key, Wanted.ENROL))
    (member,) = street.desk.homes()
    assert (member.state, member.feeder, member.groups) == (State.WITHDRAWN, None, ())
    street.desk.turn(street.now)
    street.desk.withdraw(home, street.now + DAY)
    street.desk.withdraw(home, street.now + DAY)
    assert street.doors.homes == []
    assert street.ledger.homes == ()
    street.now += 91 * DAY
    street.desk.turn(street.now)
    assert street.desk.homes() == ()
    with pytest.raises(DeskError):
        street.desk.reinvite(home, street.now)


def test_who_is_expelled_is_out_at_once(street: Street) -> None:
    home, _ = street.join()
    street.now += 3 * DAY
    street.desk.expel(home, street.now)
    assert street.doors.homes == []
    assert street.ledger.homes == (home,)
    today = int(moment(2026, 11, 8))
    assert street.ledger.expected(today, today + DAY) == 0
    assert street.ledger.expected(today - DAY, today) == 1
    for wanted in Wanted:
        declined(street.ask(home, keys.new_key(), wanted))
    assert not street.desk.consented(home, street.now)
    street.desk.withdrawn(home)
    assert street.desk.homes()[0].state is State.EXPELLED
    assert street.authority is not None
    assert street.authority.revoke(home, now=street.now) == 0
    street.desk.expel("hnobody", street.now)


def rotated(street: Street, count: int) -> list[tuple[str, str, str]]:
    """Return homes that have asked for another id: who, with which key, and which it is."""
    homes = [street.join()[0] for _ in range(count)]
    street.now += 2 * DAY
    asked = [(home, keys.new_key()) for home in homes]
    return [(home, key, street.issued(home, key, Wanted.ROTATE).subject) for home, key in asked]


@pytest.mark.clause("CM-48")
def test_who_is_expelled_does_not_come_back_under_another_id(street: Street) -> None:
    """All that begin with it wait until their homes have asked once more."""
    (stays, key, follows), (late, late_key, late_follows), (goes, _, hidden) = rotated(street, 3)
    street.desk.expel(goes, street.now)
    assert street.doors.put_out == {goes}
    assert street.issued(stays, key, Wanted.ROTATE).subject == follows
    street.now = DECEMBER - 3600
    street.restart()
    street.desk.turn(street.now)
    assert set(street.doors.homes) == {stays, late, follows}
    # Also after the month has begun: the old id asks, which may still tell what is late.
    street.now = DECEMBER + DAY
    street.desk.turn(street.now)
    assert street.issued(late, late_key, Wanted.ROTATE).subject == late_follows
    street.desk.turn(street.now)
    assert set(street.doors.homes) == {stays, late, follows, late_follows}
    for home in (follows, late_follows):
        assert street.desk.consented(home, street.now)
    assert not street.desk.consented(hidden, street.now)
    street.desk.resync()
    assert hidden not in street.doors.homes
    # It is forgotten in the end.
    street.now = DECEMBER + PATIENCE + DAY
    street.desk.turn(street.now)
    assert hidden not in {home.id for home in street.desk._registry.homes()}


@pytest.mark.clause("CM-48")
def test_nobody_brings_back_who_was_expelled(street: Street) -> None:
    """Another home has the key of the id that waits: it can have that one or its own."""
    (helper, key, follows), (goes, lent, hidden) = rotated(street, 2)
    stranger, _ = street.join()
    street.now += WARY
    street.desk.expel(goes, street.now)
    declined(street.ask(goes, lent, Wanted.ROTATE))
    declined(street.ask(stranger, lent, Wanted.ROTATE))
    street.issued(helper, key, Wanted.ROTATE)
    assert street.issued(helper, key, Wanted.ROTATE).subject == follows
    assert "asked for another id again" in declined(street.ask(helper, lent, Wanted.ROTATE))
    street.now = DECEMBER
    street.desk.turn(street.now)
    assert set(street.doors.homes) == {helper, stranger, follows}
    assert hidden not in {home.id for home in street.desk.homes()}


@pytest.mark.clause("CM-48")
def test_ids_that_were_let_in_are_held_back_unless_they_are_in_use(street: Street) -> None:
    """The home is expelled on the last day of the month, or in the next one."""
    (stays, key, follows), (used, _, in_use), (goes, _, hidden) = rotated(street, 3)
    street.now = DECEMBER
    new = street.desk.invite(street.now).home
    street.issued(new, keys.new_key(), Wanted.ENROL)
    street.desk.turn(street.now)
    assert {follows, in_use, hidden} < set(street.doors.homes)
    assert street.desk.consented(in_use, street.now)
    street.desk.expel(goes, street.now)
    street.desk.turn(street.now)
    assert set(street.doors.homes) == {stays, used, in_use, new}
    street.issued(stays, key, Wanted.ROTATE)
    street.desk.turn(street.now)
    assert follows in street.doors.homes
    assert hidden not in street.doors.homes


def test_whom_the_operator_has_put_out_is_expelled_once(street: Street) -> None:
    home, _ = street.join()
    left, _ = street.join()
    street.ledger.withdraw(left)
    street.desk.withdrawn(left)
    street.desk.revoked([home, left, "hnobody"], street.now)
    states = {member.id: member.state for member in street.desk.homes()}
    assert states == {home: State.EXPELLED, left: State.WITHDRAWN}
    told = street.doors.told
    street.desk.revoked([home, left], street.now)
    assert street.doors.told == told
    street.doors.put_out.clear()
    street.desk.resync()
    assert street.doors.put_out == {home}


def test_asking_the_same_again_writes_nothing(street: Street) -> None:
    home = street.desk.invite(street.now).home
    key, after = keys.new_key(), keys.new_key()
    street.issued(home, key, Wanted.ENROL)
    street.desk.heard(home, street.now)
    street.now += WARY
    street.issued(home, after, Wanted.ROTATE)
    changes = street.desk._registry.changes
    for _ in range(3):
        street.issued(home, key, Wanted.ENROL)
        street.issued(home, after, Wanted.ROTATE)
    assert street.desk._registry.changes == changes


# When things go wrong


def test_while_the_broker_is_away_nothing_is_decided(street: Street) -> None:
    home = street.desk.invite(street.now).home
    key = keys.new_key()
    street.doors.away = True
    with pytest.raises(DeskError, match="no connection"):
        street.desk.invite(street.now)
    with pytest.raises(DeskError, match="no connection"):
        street.ask(home, key, Wanted.ENROL)
    with pytest.raises(DeskError, match="no connection"):
        street.desk.heard(home, street.now)
    assert [member.state for member in street.desk.homes()] == [State.INVITED]
    street.doors.away = False
    # Nothing of the first time is kept: even another key is still taken.
    street.issued(home, keys.new_key(), Wanted.ENROL)
    street.desk.heard(home, street.now)
    assert street.doors.tokens == {}


def test_a_change_of_ids_that_fails_half_way_is_done_later(street: Street) -> None:
    homes = [street.join()[0] for _ in range(3)]
    street.now += 2 * DAY
    later = [street.issued(home, keys.new_key(), Wanted.ROTATE).subject for home in homes]
    street.now = DECEMBER
    street.doors.away = True
    with pytest.raises(DeskError):
        street.desk.turn(street.now)
    assert sorted(member.id for member in street.desk.homes()) == sorted(homes)
    street.doors.away = False
    street.restart()
    street.desk.turn(street.now)
    assert sorted(street.doors.homes) == sorted(homes + later)


def test_a_broker_that_has_forgotten_all_is_told_again(street: Street) -> None:
    homes = sorted(street.join()[0] for _ in range(3))
    street.desk.expel(homes.pop(), street.now)
    invited = street.desk.invite(street.now).home
    street.doors.homes.clear()
    street.doors.tokens.clear()
    street.desk.resync()
    assert street.doors.homes == homes
    # A token cannot be told again: the invitation is to be made anew.
    assert "run out" in declined(street.ask(invited, keys.new_key(), Wanted.ENROL))
    assert [member.invited_until for member in street.desk.homes()] == [None] * 4
    street.desk.reinvite(invited, street.now)
    street.issued(invited, keys.new_key(), Wanted.ENROL)


def test_what_was_told_when_the_hub_died_is_told_again(street: Street) -> None:
    """A command may be lost with the process that has handed it on."""
    home = street.desk.invite(street.now).home
    street.issued(home, keys.new_key(), Wanted.ENROL)
    closed, _ = street.join()
    street.doors.homes.remove(home)
    street.doors.tokens[closed] = "still there"
    street.restart()
    street.desk.turn(street.now)
    assert home in street.doors.homes
    assert closed not in street.doors.tokens
    told = street.doors.told
    street.desk.turn(street.now)
    assert street.doors.told == told


def test_a_register_of_another_community_is_refused(street: Street) -> None:
    for community, zone in (("other", ZONE), (COMMUNITY, type(ZONE)("Europe/London"))):
        with pytest.raises(DeskError, match=r"its (community|zone) is"):
            Desk(
                street.folder / "desk.db",
                community=community,
                zone=zone,
                authority=None,
                control=NoControl(),
                ledger=street.ledger,
                terms=TERMS,
            )


@pytest.mark.parametrize("damage", ["no database", "other program", "later version"])
def test_a_register_that_cannot_be_read_says_so(street: Street, damage) -> None:
    street.join()
    street.desk.close()
    path = street.folder / "desk.db"
    if damage == "no database":
        path.write_bytes(b"garbage" * 1000)
    else:
        database = sqlite3.connect(path)
        pragma = "application_id = 1" if damage == "other program" else "user_version = 9"
        database.execute(f"PRAGMA {pragma}")
        database.close()
    street.ledger.close()
    with pytest.raises(DeskError, match=r"desk\.db"):
        street.open()
    path.unlink()
    street.open()


# A broker of its own


def test_on_a_broker_of_its_own_a_consent_is_enough(tmp_path: Path) -> None:
    street = Street(tmp_path, now=NOW, own_broker=True)
    invitation = street.desk.invite(NOW, feeder="north")
    assert invitation.authorities == ""
    street.desk.heard(invitation.home, NOW)
    assert street.desk.consented(invitation.home, NOW)
    assert street.desk.consented(invitation.home, NOW)
    assert street.ledger.homes == (invitation.home,)
    late = street.desk.invite(NOW, days=1).home
    assert not street.desk.consented(late, NOW + DAY)
    assert not street.desk.consented("hnobody", NOW)
    declined(street.ask(invitation.home, keys.new_key(), Wanted.ENROL))
    assert street.desk.crl_pem(NOW) == ""
    street.desk.withdrawn(invitation.home)
    street.desk.withdraw(invitation.home, NOW)
    street.desk.turn(NOW + 2 * DAY)
    assert street.desk.homes() == ()
    street.close()
