"""What a home checks of a certificate before it takes it for its own."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
import time

import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.certificates import server_of
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.contract.certificates import Issued, Wanted
from custom_components.carbon_meter.community.member import asking
from custom_components.carbon_meter.community.member.holdings import Holdings
from custom_components.carbon_meter.community.member.outgoing import Log
from custom_components.carbon_meter.community.member.renewal import Renewal

from .test_state import state

NOW = time.time()
HOME, NEXT = "h1", "h2"

type Answer = Callable[..., Issued]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path / "authority", "The street", now=NOW)


@pytest.fixture
def holdings(tmp_path: Path) -> Holdings:
    return Holdings(tmp_path / "home", state(), lambda: NOW)


@pytest.fixture
def renewal(holdings: Holdings) -> Renewal:
    return Renewal(HOME, holdings, Log(), lambda: None)


def answered(holdings: Holdings, authority: Authority, wanted: Wanted, **changes: str) -> Issued:
    """Return what a hub answers to a request, but for some changes."""
    folder = holdings.folder / HOME
    request = asking.request(folder, holdings.state.community, HOME, wanted, NOW)
    named = changes.pop("named", NEXT if wanted is Wanted.ROTATE else HOME)
    values = {
        "community": holdings.state.community,
        "home": HOME,
        "subject": named,
        "certificate": authority.sign_client(changes.pop("csr", request.csr), named, now=NOW),
        "authorities": authority.bundle,
        "begins": int(NOW),
        "ends": int(NOW) + 86400,
    }
    return Issued(**{**values, **changes})


@pytest.mark.clause("CM-42")
@pytest.mark.parametrize(
    ("wanted", "named"), [(Wanted.RENEW, HOME), (Wanted.ROTATE, NEXT)], ids=str
)
async def test_a_certificate_that_is_its_own_is_taken(
    holdings: Holdings, authority: Authority, renewal: Renewal, wanted: Wanted, named: str
) -> None:
    issued = answered(holdings, authority, wanted)
    assert await renewal.heard(issued) is (wanted is Wanted.RENEW)
    assert Credentials(holdings.folder / named).subject == named
    assert holdings.identity(named) is not None


@pytest.mark.clause("CM-42")
@pytest.mark.parametrize("wanted", [Wanted.RENEW, Wanted.ROTATE], ids=str)
@pytest.mark.parametrize(
    "wrong", ["key", "name", "authority", "subject", "not asked", "use", "ended"]
)
async def test_a_certificate_that_is_not_its_own_changes_nothing(
    tmp_path: Path,
    holdings: Holdings,
    authority: Authority,
    renewal: Renewal,
    wanted: Wanted,
    wrong: str,
) -> None:
    match wrong:
        case "key":
            issued = answered(holdings, authority, wanted, csr=keys.csr_for(keys.new_key(), HOME))
        case "name":
            issued = answered(holdings, authority, wanted, named="h3", subject=HOME)
            if wanted is Wanted.ROTATE:
                issued = answered(holdings, authority, wanted, named="h3", subject=NEXT)
        case "authority":
            other = Authority.create(tmp_path / "other", "The street", now=NOW)
            issued = answered(holdings, authority, wanted, authorities=other.bundle)
        case "subject":
            # To renew is for the own name, to rotate for another one.
            named = NEXT if wanted is Wanted.RENEW else HOME
            issued = answered(holdings, authority, wanted, named=named)
        case "use":
            issued = answered(holdings, authority, wanted)
            signed = server_of(
                keys.key_in(authority.key),
                keys.certificate_in(authority.certificate),
                keys.certificate_in(issued.certificate).public_key(),
                ([issued.subject], []),
                (int(NOW), int(NOW) + 86400),
            )
            issued = replace(issued, certificate=keys.pem_of_certificate(signed))
        case "ended":
            issued = answered(holdings, authority, wanted)
            holdings.now = lambda: NOW + 91 * 86400
        case _:
            issued = answered(holdings, authority, wanted)
            asking.drop(holdings.folder / HOME, wanted)
    before = holdings.state
    assert not await renewal.heard(issued)
    assert holdings.state == before
    for name in (HOME, NEXT, "h3"):
        assert not list((holdings.folder / name).glob("*.pem"))
        assert not list((holdings.folder / name).glob("identity*"))
    # It goes on asking for the same.
    assert (holdings.folder / HOME / f"{wanted.value}.json").exists() is (wrong != "not asked")
