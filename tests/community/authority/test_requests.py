"""What is signed and what is not: requests of every kind of malice, and names of every kind."""

import base64
import textwrap

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from tests.community.authority import made


def pem_of(der: bytes) -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n"


GOOD = keys.csr_for(keys.new_key(), "home_17")
GOOD_DER = x509.load_pem_x509_csr(GOOD.encode()).public_bytes(serialization.Encoding.DER)


def refused(csr: str) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        keys.key_asked_for(csr)
    assert caught.value.code is Code.CERTIFICATE
    assert caught.value.clause == "CM-39"
    assert caught.value.detail
    return caught.value


@pytest.mark.clause("CM-39")
@pytest.mark.parametrize("kind", [*made.WEAK])
def test_weak_and_odd_keys_are_refused(kind: str) -> None:
    refused(made.csr(made.WEAK[kind]()))


def test_an_absurd_key_is_refused_before_it_is_looked_at() -> None:
    # 16384 bits: making one takes a minute, so that it is put together from a small one.
    assert "characters" in refused(pem_of(GOOD_DER + bytes(4096))).detail


@pytest.mark.clause("CM-39")
def test_the_key_of_another_is_refused() -> None:
    """A request is signed by its own key: nobody gets a certificate for a key that he has seen."""
    mine, victim = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    request = x509.load_pem_x509_csr(made.csr(mine).encode())
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = request.public_bytes(serialization.Encoding.DER)
    assert der.count(mine.public_key().public_bytes(*spki)) == 1
    stolen = der.replace(
        mine.public_key().public_bytes(*spki), victim.public_key().public_bytes(*spki)
    )
    assert "signature" in refused(pem_of(stolen)).detail


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_any_damage_is_refused_and_raises_nothing_else(data: st.DataObject) -> None:
    der = bytearray(GOOD_DER)
    place = data.draw(st.integers(0, len(der) - 1))
    der[place : place + data.draw(st.integers(1, 3))] = data.draw(st.binary(max_size=4))
    if bytes(der) != GOOD_DER:
        refused(pem_of(bytes(der)))


@given(st.text() | st.binary(max_size=300).map(pem_of))
@settings(deadline=None)
def test_garbage_is_refused(text: str) -> None:
    refused(text)


@pytest.mark.clause("CM-39")
def test_nothing_of_a_request_but_the_key_gets_into_the_certificate(authority, now) -> None:
    key = made.STRONG["P-256"]()
    asked = made.csr(
        key,
        "hub",
        constraints=x509.BasicConstraints(ca=True, path_length=None),
        usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        names=x509.SubjectAlternativeName([x509.DNSName("localhost")]),
    )
    certificate = x509.load_pem_x509_certificate(
        authority.sign_client(asked, "home_17", now=now).encode()
    )
    assert keys.common_name(certificate) == "home_17"
    assert len(certificate.subject) == 1
    extensions = certificate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert not constraints.value.ca
    usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [*usage] == [ExtendedKeyUsageOID.CLIENT_AUTH]
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [name.value for name in names] == ["urn:carbon-meter:home_17"]
    assert keys.fingerprint(certificate.public_key()) == keys.fingerprint(key.public_key())


@pytest.mark.clause("CM-2", "CM-40")
@pytest.mark.parametrize(
    "name",
    ["#", "+", "$SYS", "a/b", "", "hub", "public", "A", "a" * 65, "a\n", "a\0", "ä", "h,CN=hub"],
)
def test_names_that_are_more_than_a_name_are_not_signed(authority, now, name) -> None:
    with pytest.raises(ValueError, match=r"no id|no home"):
        authority.sign_client(GOOD, name, now=now)


@pytest.mark.clause("CM-42")
def test_a_home_sees_whether_a_certificate_is_its_own(authority, now) -> None:
    mine, other = keys.new_key(), keys.new_key()
    certificate = authority.sign_client(keys.csr_for(mine, "x"), "home_17", now=now)
    assert keys.matches(mine, certificate)
    assert not keys.matches(other, certificate)
    assert keys.subject_of(certificate) == "home_17"
    assert keys.is_signed(certificate, authority.bundle)
    later = authority.rotate(now=now)
    assert keys.is_signed(certificate, later.bundle)
    assert not keys.is_signed(certificate, later.certificate)
