"""The certificates and files of a community: made, renewed, and moved to a new CA."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.authority import Authority
from custom_components.carbon_meter.community.authority.broker import Broker
from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.hub_file import HubFile

from . import rights
from .errors import BrokerError
from .layout import (
    Layout,
    configuration,
    start_script,
    write_private,
    write_program,
    write_public,
)
from .loaded import put_on_list
from .setup import Setup
from .undoing import all_or_none

YEARS: Final = 10
"""How long a new CA holds."""

SERVER_DAYS: Final = 365
HUB_DAYS: Final = 365
LIST_DAYS: Final = 400
"""How long the revocation list holds: when it ends, the broker refuses everybody."""


def init(folder: Path, setup: Setup, *, now: float, years: int = YEARS) -> Layout:
    """Make a community in a new or empty folder: CA, broker, hub.

    Raises BrokerError where there is something already.
    """
    layout = Layout(folder)
    if folder.exists() and any(folder.iterdir()):
        raise BrokerError(f"{folder} is not empty: give a new folder; nothing was changed")
    for place in (folder, layout.authority, layout.hub, layout.operator, layout.homes):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in (layout.broker, layout.broker / "data"):
        place.mkdir(mode=0o750, exist_ok=True)
    authority = Authority.create(layout.authority, setup.name, now=now, years=years)
    rights.begin(layout.rights, setup.community)
    rights.begin(layout.first_rights, setup.community, is_fresh=True)
    renew_operator(layout, authority, now=now)
    renew_hub(layout, setup, authority, now=now)
    renew_server(layout, setup, authority, now=now)
    # The last one: a folder without it is no community.
    write_public(layout.setup, setup.as_json())
    return layout


def renew_server(
    layout: Layout, setup: Setup, authority: Authority, *, now: float, days: int = SERVER_DAYS
) -> None:
    """Give the broker a new key and certificate, and all else that it reads but the rights."""
    key, certificate = authority.sign_server(
        list(setup.names), list(setup.addresses), now=now, days=days
    )
    write_private(layout.server_key, key)
    write_public(layout.server, certificate)
    write_public(layout.authorities, authority.bundle)
    write_public(layout.configuration, configuration(setup))
    write_program(layout.start, start_script())
    renew_list(layout, authority, now=now)


def renew_hub(
    layout: Layout, setup: Setup, authority: Authority, *, now: float, days: int = HUB_DAYS
) -> None:
    """Give the hub a new key and certificate, and write its file."""
    key = keys.new_key()
    certificate = authority.sign_hub(keys.csr_for(key, rights.HUB), now=now, days=days)
    Credentials(layout.hub).store(key, certificate, authority.bundle)
    file = HubFile(
        community=setup.community,
        name=setup.name,
        broker=Broker(host=setup.hosts[0], port=setup.port, enrol_port=setup.enrol_port),
        authorities=authority.bundle,
        authority_key=authority.key,
        certificate=certificate,
        key=key,
    )
    write_private(layout.hub_file, file.as_json())


def renew_operator(
    layout: Layout, authority: Authority, *, now: float, days: int = HUB_DAYS
) -> None:
    """Give this tool a key and a certificate with which it can change rights on the broker."""
    key = keys.new_key()
    certificate = authority.sign_operator(keys.csr_for(key, rights.OPERATOR), now=now, days=days)
    Credentials(layout.operator).store(key, certificate, authority.bundle)


def renew_list(layout: Layout, authority: Authority, *, now: float, days: int = LIST_DAYS) -> None:
    """Write the list of certificates that no longer hold, with one by which it is known."""
    put_on_list(layout, authority, now=now, days=days)
    write_public(layout.revoked, authority.crl_pem(now=now, days=days))


def rotate(layout: Layout, setup: Setup, *, now: float, years: int = YEARS) -> None:
    """Make a new CA beside the old one.

    The broker believes both and still shows a certificate of the old one, as homes know no other;
    every certificate that the hub renews from now on is of the new one and brings both along.
    """
    authority = load(layout)
    if authority.is_rotating:
        raise BrokerError(
            "a new CA is there already: end the change with rotate --finish; "
            "if something is not of it yet, run hub and server"
        )
    with _all_or_none(layout):
        authority = authority.rotate(now=now, years=years)
        renew_operator(layout, authority, now=now)
        renew_hub(layout, setup, authority, now=now)
        write_public(layout.authorities, authority.bundle)
        renew_list(layout, authority, now=now)


def finish(layout: Layout, setup: Setup, *, now: float) -> None:
    """Drop the old CA: what it signed no longer holds, the broker's certificate is of the new."""
    authority = load(layout)
    if not authority.is_rotating:
        raise BrokerError("there is no old CA: begin with rotate")
    with _all_or_none(layout):
        authority = authority.finish()
        renew_operator(layout, authority, now=now)
        renew_hub(layout, setup, authority, now=now)
        renew_server(layout, setup, authority, now=now)


def _all_or_none(layout: Layout) -> AbstractContextManager[None]:
    """Put everything back that a change of the CA has changed, if it does not come to its end."""
    of_broker = (
        layout.server_key,
        layout.server,
        layout.authorities,
        layout.configuration,
        layout.start,
        layout.revoked,
    )
    folders = (layout.authority, layout.hub, layout.operator)
    return all_or_none(folders, (layout.hub_file, *of_broker))


def load(layout: Layout) -> Authority:
    """Return the community's CA; raises AuthorityError where it is not there or damaged."""
    return Authority.load(layout.authority)
