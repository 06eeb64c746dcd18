"""Requests for certificates and their answers: written and read again the same."""

from dataclasses import replace
import json

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.authority.keys import csr_for, new_key
from custom_components.carbon_meter.community.contract.certificates import (
    CertificateAnswer,
    Declined,
    Issued,
    SigningRequest,
    Wanted,
    read_certificate,
    read_signing,
    write_certificate,
    write_signing,
)
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from tests.community.contract.json_schema import is_valid, schema_of
from tests.community.contract.made import details, ids, numbers


def pem(label: str) -> st.SearchStrategy[str]:
    """Return texts that look like PEM; nobody reads here what is within."""
    line = st.text("ABCxyz019+/=", min_size=1, max_size=76)
    return st.lists(line, min_size=1, max_size=12).map(
        lambda lines: "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
    )


requests = st.builds(
    SigningRequest,
    community=ids,
    home=ids,
    at=numbers,
    wanted=st.sampled_from(Wanted),
    csr=pem("CERTIFICATE REQUEST"),
)


@st.composite
def issued(draw: st.DrawFn) -> Issued:
    begins = draw(st.integers(0, 2**53 - 2))
    return Issued(
        community=draw(ids),
        home=draw(ids),
        subject=draw(ids),
        certificate=draw(pem("CERTIFICATE")),
        authorities="".join(draw(st.lists(pem("CERTIFICATE"), min_size=1, max_size=3))),
        begins=begins,
        ends=draw(st.integers(begins + 1, 2**53 - 1)),
    )


answers = issued() | st.builds(
    Declined, community=ids, home=ids, code=st.sampled_from(Code), detail=details
)


@given(requests)
@settings(deadline=None)
def test_a_request_that_is_written_is_read(request: SigningRequest) -> None:
    topic, payload = write_signing(request)
    assert read_signing(topic, payload) == request
    assert is_valid(schema_of("csr"), json.loads(payload))


@pytest.mark.clause("CM-41")
@given(answers)
@settings(deadline=None)
def test_an_answer_that_is_written_is_read(answer: CertificateAnswer) -> None:
    topic, payload = write_certificate(answer)
    assert read_certificate(topic, payload) == answer
    assert is_valid(schema_of("cert"), json.loads(payload))


def test_a_real_request_is_written() -> None:
    request = SigningRequest(
        community="c", home="h", at=1, wanted=Wanted.ENROL, csr=csr_for(new_key(), "h")
    )
    assert read_signing(*write_signing(request)) == request


@given(st.text())
@settings(deadline=None)
def test_words_of_a_refusal_never_harm(detail: str) -> None:
    declined = Declined(community="c", home="h", code=Code.CERTIFICATE, detail=detail)
    answer = read_certificate(*write_certificate(declined))
    assert isinstance(answer, Declined)
    assert answer.code is Code.CERTIFICATE


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"home": "hub"}, "CM-2"),
        ({"subject": "public"}, "CM-2"),
        ({"subject": "a/b"}, "CM-13"),
        ({"certificate": ""}, "CM-13"),
        ({"authorities": "x" * 7000}, "CM-12"),
        ({"ends": 1}, "CM-12"),
    ],
)
@given(answer=issued())
@settings(deadline=None, max_examples=5)
def test_what_a_home_would_refuse_is_not_written(answer: Issued, change, clause) -> None:
    with pytest.raises(RefusedError) as caught:
        write_certificate(replace(answer, **{"begins": 1} | change))
    assert caught.value.clause == clause


@given(st.sampled_from(["up/csr", "down/cert"]), st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_are_refused_in_words(channel: str, payload: bytes) -> None:
    reader = read_signing if channel == "up/csr" else read_certificate
    with pytest.raises(RefusedError):
        reader(f"cm/v1/street/home/{channel}", payload)


@pytest.mark.parametrize("reader", [read_signing, read_certificate])
def test_other_messages_are_neither(reader) -> None:
    with pytest.raises(RefusedError) as caught:
        reader("cm/v1/street/home/down/ack", b"{}")
    assert caught.value.clause == "CM-1"
