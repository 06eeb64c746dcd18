"""Invitations: read again the same, small enough for a QR code, and told apart when damaged."""

import base64
from dataclasses import replace
import json

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.broker import Broker
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.authority.invitation import (
    Invitation,
    InvitationError,
    read_invitation,
)
from custom_components.carbon_meter.community.authority.reasons import Reason
from custom_components.carbon_meter.community.contract.message import Flow, Level

NOW = 1_800_000_000


@pytest.fixture(scope="module")
def invitation(tmp_path_factory) -> Invitation:
    folder = tmp_path_factory.mktemp("authority") / "a"
    return Invitation(
        community="sunny-street",
        name="Sunny Street 阳光",
        home="h2a3b4c5d6e7f",
        token="0123456789abcdef0123456789abcdef",
        broker=Broker(host="broker.sunny-street.example", port=8883, enrol_port=8884),
        authorities=Authority.create(folder, "Sunny Street", now=NOW).bundle,
        level=Level.PSEUDONYM,
        duration=3600,
        flows=(Flow.GRID_IMPORT, Flow.GRID_EXPORT, Flow.PV),
        expires=NOW + 14 * DAY,
    )


def reason(text: str, now: float = NOW) -> Reason:
    with pytest.raises(InvitationError) as caught:
        read_invitation(text, now)
    return caught.value.reason


def test_what_is_written_is_read(invitation) -> None:
    assert read_invitation(invitation.as_text(), NOW) == invitation
    assert read_invitation(invitation.as_json(), NOW) == invitation
    assert invitation.user == "invited.h2a3b4c5d6e7f"


def test_an_invitation_without_a_broker_of_its_own(invitation) -> None:
    own = replace(invitation, broker=None, authorities="")
    assert read_invitation(own.as_text(), NOW) == own


def test_it_fits_a_qr_code(invitation, tmp_path) -> None:
    assert len(invitation.as_text()) < 1400
    later = Authority.create(tmp_path / "a", "Sunny Street", now=NOW).rotate(now=NOW)
    longest = replace(
        invitation,
        authorities=later.bundle,
        flows=tuple(Flow),
        broker=Broker(host="h" * 60 + ".example", port=65535, enrol_port=65535),
    )
    assert len(longest.as_text()) <= 2953
    with pytest.raises(InvitationError):
        replace(longest, authorities=later.bundle * 2).as_text()


def test_the_text_is_what_the_document_says(invitation) -> None:
    """Another vendor reads it with base64 and JSON alone."""
    encoded, _, check = invitation.as_text().removeprefix("carbon-meter:").partition(".")
    content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    assert json.loads(content) == json.loads(invitation.as_json())
    assert len(check) == 8


def test_spaces_and_lines_of_a_mail_do_no_harm(invitation) -> None:
    text = invitation.as_text()
    folded = "\r\n  ".join(text[place : place + 70] for place in range(0, len(text), 70))
    assert read_invitation(f"\n {folded}\n\n", NOW) == invitation


def test_it_ends(invitation) -> None:
    assert reason(invitation.as_text(), NOW + 14 * DAY) is Reason.EXPIRED
    assert read_invitation(invitation.as_text(), NOW + 14 * DAY - 1)


@given(data=st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_that_is_cut_or_mistyped_is_damaged(invitation, data) -> None:
    text = invitation.as_text()
    place = data.draw(st.integers(len("carbon-meter:"), len(text) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_.é#"))
    if letter != text[place]:
        assert reason(text[:place] + letter + text[place + 1 :]) is Reason.DAMAGED
    assert reason(text[:place]) is Reason.DAMAGED
    assert reason(text + letter) is Reason.DAMAGED


def test_a_file_that_is_cut_is_damaged(invitation) -> None:
    text = invitation.as_json()
    assert reason(text[: len(text) // 2]) is Reason.DAMAGED


@pytest.mark.parametrize(
    "text",
    ["", "hello", "{}", "[]", "https://sunny-street.example/join", "{" * 10_000, "\ud800", "null"],
)
def test_something_else_is_something_else(text) -> None:
    assert reason(text) is Reason.ANOTHER


def test_texts_of_any_length_are_refused(invitation) -> None:
    assert reason("carbon-meter:" + "A" * 10_000_000) is Reason.DAMAGED
    assert reason(" " * 10_000_000) is Reason.ANOTHER


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"v": 2}, Reason.VERSION),
        ({"v": "1"}, Reason.ANOTHER),
        ({"type": "carbon-meter hub"}, Reason.ANOTHER),
        ({"home": "#"}, Reason.DAMAGED),
        ({"home": "hub"}, Reason.DAMAGED),
        ({"community": "a/b"}, Reason.DAMAGED),
        ({"token": "short"}, Reason.DAMAGED),
        ({"token": "$(reboot)0123456789abcdef"}, Reason.DAMAGED),
        ({"name": ""}, Reason.DAMAGED),
        ({"name": "a\u202eb"}, Reason.DAMAGED),
        ({"broker": {"host": "a b", "port": 1, "enrol_port": 1}}, Reason.DAMAGED),
        ({"broker": {"host": "-oProxy", "port": 1, "enrol_port": 1}}, Reason.DAMAGED),
        ({"broker": {"host": "a", "port": 0, "enrol_port": 1}}, Reason.DAMAGED),
        ({"broker": {"host": "a", "port": 1}}, Reason.DAMAGED),
        ({"authorities": ""}, Reason.DAMAGED),
        ({"level": "masked"}, Reason.DAMAGED),
        ({"dur": 60}, Reason.DAMAGED),
        ({"flows": []}, Reason.DAMAGED),
        ({"flows": ["dishwasher"]}, Reason.DAMAGED),
        ({"expires": None}, Reason.DAMAGED),
        ({"expires": 1e400}, Reason.DAMAGED),
    ],
)
def test_what_does_not_hold_together_is_refused(invitation, change, expected) -> None:
    value = json.loads(invitation.as_json()) | change
    assert reason(json.dumps(value)) is expected


@given(st.text())
@settings(deadline=None)
def test_any_text_is_refused_in_words(text: str) -> None:
    assert reason(text) in Reason
    assert reason("carbon-meter:" + text) is Reason.DAMAGED
