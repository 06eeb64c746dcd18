"""Consents and withdrawals: what holds, and what may be shown under it."""

from dataclasses import replace
import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.consent import (
    MOST_EARLIER,
    Agreement,
    Consent,
    Deleted,
    Withdrawal,
    check_consent,
    latest,
    proof_of,
    read_agreement,
    read_deleted,
    write_agreement,
    write_deleted,
)
from custom_components.carbon_meter.community.contract.message import (
    DURATIONS,
    Flow,
    Footprint,
    Level,
)
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from tests.community.contract.json_schema import is_valid, schema_of
from tests.community.contract.made import digests, footprints, ids, methods, numbers

consents = st.builds(
    Consent,
    community=ids,
    home=ids,
    at=numbers,
    text=methods,
    level=st.sampled_from(Level),
    duration=st.sampled_from(DURATIONS),
    flows=st.lists(st.sampled_from(Flow), min_size=1, unique=True).map(tuple),
    proof=st.none() | digests,
)


@st.composite
def withdrawals(draw: st.DrawFn) -> Withdrawal:
    home = draw(ids)
    earlier = st.lists(ids.filter(lambda name: name != home), unique=True, max_size=5)
    return Withdrawal(
        community=draw(ids),
        home=home,
        at=draw(numbers),
        also=tuple((name, draw(digests)) for name in draw(earlier)),
    )


agreements = consents | withdrawals()


@given(agreements)
@settings(deadline=None)
def test_what_is_written_is_read(agreement: Agreement) -> None:
    topic, payload = write_agreement(agreement)
    assert read_agreement(topic, payload) == agreement
    name = "consent" if isinstance(agreement, Consent) else "withdraw"
    assert is_valid(schema_of(name), json.loads(payload))


@pytest.mark.clause("CM-36")
@given(st.lists(agreements, min_size=1), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_latest_holds_in_whatever_order_they_come(told: list[Agreement], random) -> None:
    told = [replace(one, community="c", home="own_home", at=one.at % 3) for one in told]

    def held() -> Agreement | None:
        result = None
        for one in told:
            result = latest(result, one)
        return result

    first = held()
    random.shuffle(told)
    assert held() == first
    assert first is not None
    assert first.at == max(one.at for one in told)
    at_last = [one for one in told if one.at == first.at]
    assert isinstance(first, Withdrawal) == any(isinstance(one, Withdrawal) for one in at_last)


@pytest.mark.clause("CM-35", "CM-36")
@given(footprints(), consents)
@settings(deadline=None)
def test_nothing_is_shown_beyond_the_consent(footprint: Footprint, consent: Consent) -> None:
    flows = {item.flow for item in footprint.items}
    may = (
        flows <= set(consent.flows)
        and footprint.duration >= consent.duration
        and (consent.level is Level.CLEAR or footprint.level is Level.PSEUDONYM)
    )
    if may:
        check_consent(footprint, consent)
    else:
        with pytest.raises(RefusedError) as caught:
            check_consent(footprint, consent)
        assert (caught.value.code, caught.value.clause) == (Code.CONSENT, "CM-35")
    check_consent(footprint, replace(consent, flows=tuple(Flow), level=Level.CLEAR, duration=900))


@pytest.mark.clause("CM-36")
@given(footprints())
@settings(deadline=None, max_examples=10)
def test_without_a_consent_nothing_is_taken(footprint: Footprint) -> None:
    withdrawn = Withdrawal(community=footprint.community, home=footprint.home, at=1)
    for agreement in (None, withdrawn):
        with pytest.raises(RefusedError) as caught:
            check_consent(footprint, agreement)
        assert (caught.value.code, caught.value.clause) == (Code.CONSENT, "CM-36")


@given(st.sampled_from(["up/consent", "up/withdraw"]), st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_refused_in_words(channel: str, payload: bytes) -> None:
    with pytest.raises(RefusedError):
        read_agreement(f"cm/v1/street/home/{channel}", payload)


@pytest.mark.parametrize("channel", ["up/fp/3600", "down/ack"])
def test_other_messages_are_no_agreement(channel: str) -> None:
    with pytest.raises(RefusedError) as caught:
        read_agreement(f"cm/v1/street/home/{channel}", b"{}")
    assert caught.value.clause == "CM-1"


@given(ids, ids, numbers, st.integers(0, MOST_EARLIER + 1))
@settings(deadline=None)
def test_what_is_deleted_is_told(community: str, home: str, at: int, homes: int) -> None:
    deleted = Deleted(community=community, home=home, at=at, homes=homes)
    topic, payload = write_deleted(deleted)
    assert read_deleted(topic, payload) == deleted
    assert is_valid(schema_of("deleted"), json.loads(payload))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_refused_as_deleted(payload: bytes) -> None:
    with pytest.raises(RefusedError):
        read_deleted("cm/v1/street/home/down/deleted", payload)


@pytest.mark.clause("CM-38")
def test_the_proof_is_what_a_shell_makes_of_the_secret() -> None:
    # printf %s 00..00 | sha256sum
    expected = "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55"
    assert proof_of("0" * 64) == expected


@pytest.mark.clause("CM-38")
def test_five_years_of_ids_are_withdrawn_in_one_message() -> None:
    also = tuple((f"h{number:012}", "5" * 64) for number in range(MOST_EARLIER))
    withdrawal = Withdrawal(community="c", home="h", at=1, also=also)
    assert read_agreement(*write_agreement(withdrawal)) == withdrawal
    with pytest.raises(RefusedError) as caught:
        write_agreement(replace(withdrawal, also=(*also, ("one_more", "5" * 64))))
    assert caught.value.clause == "CM-12"
