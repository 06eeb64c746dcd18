"""Looks over a community's files: what is wrong, and what has to be done soon."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
import ssl
import time
from typing import Any, Final

from cryptography import x509

from custom_components.carbon_meter.community.authority.credentials import Credentials
from custom_components.carbon_meter.community.authority.errors import AuthorityError
from custom_components.carbon_meter.community.authority.keys import is_signed
from custom_components.carbon_meter.community.contract.refusal import RefusedError
from custom_components.carbon_meter.community.hub import rights as allowed

from . import rights
from .errors import BrokerError
from .homes import revocation_lists
from .layout import Layout, configuration
from .loaded import is_on_list, unread
from .setup import Setup

_DAY: Final = 86_400
_SOON: Final = 30 * _DAY
"""What ends within this time has to be renewed now."""

_SECRET: Final = 0o077
"""What nobody but the owner may have of a key."""

_KINDS: Final = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
"""What the plugin would allow to everybody unless it is told not to."""

_TIMES: Final = 10
_BETWEEN: Final = 0.1
"""Seconds between two looks at a file that is just being written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at."""

    text: str
    is_wrong: bool = False
    """Whether the operator has to do something."""

    is_open: bool = False
    """Whether it could not be found out."""


def check(layout: Layout, setup: Setup, *, now: float) -> list[Finding]:
    """Return what was looked at, in the order of the files; nothing is changed."""
    return [
        *_modes(layout),
        *_ends(layout, now),
        *_homes(layout, setup, now),
        *_revocations(layout, now),
        *_chain(layout, setup),
        *_configuration(layout, setup),
        *_rights(layout, setup.community),
        *_running(layout, setup),
    ]


def _modes(layout: Layout) -> Iterator[Finding]:
    """Look whether others can read a secret."""
    secrets = [
        *([layout.hub_file] if layout.hub_file.exists() else []),
        layout.server_key,
        layout.rights,
        layout.first_rights,
        layout.authority / "authority.key",
        *([layout.listed] if layout.listed.exists() else []),
        *(folder / "identity.pem" for folder in (layout.hub, layout.operator)),
    ]
    for path in secrets:
        if not path.exists():
            yield Finding(text=f"{path} is not there", is_wrong=True)
        elif path.stat().st_mode & _SECRET:
            yield Finding(text=f"{path} can be read by others: chmod 600", is_wrong=True)
    yield Finding(text=f"{len(secrets)} secrets looked at")


def _ends(layout: Layout, now: float) -> Iterator[Finding]:
    """Look when each certificate ends."""
    for what, path, remedy in (
        ("the CA", layout.authorities, "rotate"),
        ("the broker's certificate", layout.server, "server"),
        ("the hub's certificate", layout.hub / "identity.pem", "hub"),
        ("the operator's certificate", layout.operator / "identity.pem", "hub"),
    ):
        try:
            held = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError) as err:
            yield Finding(text=f"{path} holds no certificate: {err}", is_wrong=True)
            continue
        # With two CAs the new one is what counts.
        end = max(item.not_valid_after_utc.timestamp() for item in held)
        yield _end(what, end, now, remedy)
        if len(held) > 1 and path == layout.authorities:
            yield Finding(text="two CAs hold: rotate --finish when all homes have renewed")


def _homes(layout: Layout, setup: Setup, now: float) -> Iterator[Finding]:
    """Look at the homes enrolled by hand: when each certificate ends, and whether it gets in."""
    try:
        authorities = layout.authorities.read_text(encoding="ascii")
        # The file of another machine's broker is there.
        users = rights.users(layout.rights) if Path(setup.at) == layout.broker.absolute() else None
    except BrokerError, OSError, ValueError:
        return  # told where these files are looked at
    for path in sorted(layout.homes.glob("*.pem")):
        home = path.stem
        try:
            item = x509.load_pem_x509_certificate(path.read_bytes())
            is_ours = is_signed(path.read_text(encoding="ascii"), authorities)
        except (ValueError, AuthorityError) as err:
            yield Finding(text=f"{path} holds no certificate: {err}", is_wrong=True)
            continue
        yield _end(f"the home {home}", item.not_valid_after_utc.timestamp(), now, "renew")
        if not is_ours:
            yield Finding(
                text=f"the home {home} has a certificate of a CA that no longer holds: run renew",
                is_wrong=True,
            )
        if users is not None and home not in users:
            yield Finding(
                text=f"the home {home} has no rights: run enrol again while the broker runs",
                is_wrong=True,
            )


def _revocations(layout: Layout, now: float) -> Iterator[Finding]:
    """Look when each list of the file ends: then the broker would refuse everybody."""
    try:
        lists = revocation_lists(layout.revoked)
    except BrokerError as err:
        yield Finding(text=str(err), is_wrong=True)
        return
    try:
        held = x509.load_pem_x509_certificates(layout.authorities.read_bytes())
    except OSError, ValueError:
        held = []  # told where this file is looked at
    for item in lists:
        until = item.next_update_utc
        what = "the revocation list"
        if len(lists) > 1:
            what += f" of {_signer(item, held)}"
        yield _end(what, until.timestamp() if until else 0, now, "crl")


def _signer(item: x509.CertificateRevocationList, held: list[x509.Certificate]) -> str:
    """Return which CA a list is of: the present one comes first in the file of them."""
    places = [place for place, one in enumerate(held) if one.subject == item.issuer]
    if not places:
        return "a CA that does not hold"
    return "the CA before" if places[0] else "the new CA"


def _end(what: str, end: float, now: float, remedy: str) -> Finding:
    day = datetime.fromtimestamp(end, UTC).date()
    if end <= now:
        return Finding(text=f"{what} has ended on {day}: run {remedy}", is_wrong=True)
    if end - now < _SOON:
        return Finding(text=f"{what} ends on {day}: run {remedy} now", is_wrong=True)
    return Finding(text=f"{what} holds until {day}")


def _chain(layout: Layout, setup: Setup) -> Iterator[Finding]:
    """Let broker and hub shake hands in memory, as strictly as Python does."""
    for host in setup.hosts:
        try:
            _shake_hands(layout, host)
        except (ssl.SSLError, AuthorityError, OSError, ValueError) as err:
            reason = getattr(err, "verify_message", "") or str(err)
            yield Finding(text=f"broker and hub cannot meet at {host}: {reason}", is_wrong=True)
        else:
            yield Finding(text=f"broker and hub accept each other at {host}")


def _shake_hands(layout: Layout, host: str) -> None:
    """Raise the error that broker or hub would see when the hub connects to this host."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(layout.authorities))
    server.load_cert_chain(layout.server, layout.server_key)
    server.load_verify_locations(layout.revoked)
    server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    server.verify_mode = ssl.CERT_REQUIRED
    client = Credentials(layout.hub).context()
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=host),
        server.wrap_bio(up, down, server_side=True),
    ]
    # Every pass is one flight of messages; TLS 1.3 needs two.
    while ends:
        waiting = []
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting.append(end)
        if len(waiting) == len(ends) and not (up.pending or down.pending):
            raise ValueError("the two do not answer each other")
        ends = waiting


def _configuration(layout: Layout, setup: Setup) -> Iterator[Finding]:
    """Look whether mosquitto.conf is what the choices make of it, and the plugin is there."""
    try:
        text = layout.configuration.read_text(encoding="utf-8")
    except (OSError, ValueError) as err:
        yield Finding(text=f"{layout.configuration} cannot be read: {err}", is_wrong=True)
        return
    if text != configuration(setup):
        yield Finding(
            text=f"{layout.configuration} was changed by hand, or made by another version: "
            "run server to make it anew",
            is_wrong=True,
        )
    else:
        made = datetime.fromtimestamp(layout.configuration.stat().st_mtime, UTC)
        yield Finding(
            text=f"mosquitto.conf is as it was made, last at {made:%Y-%m-%d %H:%M} UTC: changes in "
            "it count when the broker is started again"
        )
    if Path(setup.at) != layout.broker.absolute():
        yield Finding(text=f"the broker reads its files from {setup.at}: copy them there")
    elif not Path(setup.plugin).exists():
        yield Finding(
            text=f"{setup.plugin} is not there: install mosquitto, or say server --plugin",
            is_wrong=True,
        )


def _running(layout: Layout, setup: Setup) -> Iterator[Finding]:
    """Try whether the broker has read certificates and list since they were changed."""
    where = f"the broker at {setup.hosts[0]}:{setup.port}"
    remedy = f"bring {layout.broker} to its machine, if that is another one, and reload it"
    try:
        if not is_on_list(layout, revocation_lists(layout.revoked)):
            yield Finding(
                text=f"whether {where} has read the revocation list can be told from the next one "
                "on: run crl",
                is_open=True,
            )
            return
        is_read = True
        for name in unread(layout, setup):
            is_read = False
            yield Finding(text=f"{where} has not read {name}: {remedy}", is_wrong=True)
    except BrokerError:
        return  # told where the list is looked at
    except (OSError, ValueError) as err:
        yield Finding(
            text=f"{where} does not answer ({getattr(err, 'strerror', '') or err}): whether it "
            "has read its files is not known. After each change of them, reload it",
            is_open=True,
        )
        return
    if is_read:
        yield Finding(text=f"{where} has read the certificates and the revocation list")


def _rights(layout: Layout, community: str) -> Iterator[Finding]:
    """Look whether anybody has more rights than belong to the name."""
    try:
        state = _written(layout.rights)
        default = state["defaultACLAccess"]
        roles = {role["rolename"]: _topics(role["acls"]) for role in state["roles"]}
        held = {
            client["username"]: [role["rolename"] for role in client.get("roles", ())]
            for client in state["clients"]
        }
        for group in state.get("groups", ()):
            for client in group.get("clients", ()):
                names = [role["rolename"] for role in group.get("roles", ())]
                held.setdefault(client["username"], []).extend(names)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        yield Finding(text=f"{layout.rights} cannot be read: {err}", is_wrong=True)
        return
    wrong = [
        f"what is not allowed is allowed ({kind})" for kind in _KINDS if default.get(kind, True)
    ]
    if state.get("anonymousGroup"):
        wrong.append("somebody without a name has rights")
    for user, names in held.items():
        has = {right for name in names for right in roles.get(name, set())}
        wrong += [
            f"{user} has a right that is not due: {kind} {topic}"
            for kind, topic in sorted(has - _due(user, community))
        ]
    wrong += [
        f"{user} has no rights" for user in (allowed.HUB, allowed.OPERATOR) if user not in held
    ]
    yield from (Finding(text=f"{layout.rights}: {text}", is_wrong=True) for text in wrong)
    if not wrong:
        yield Finding(
            text=f"{layout.rights}: {len(held)} clients have the rights that are due to them"
        )


def _written(path: Path) -> dict[str, Any]:
    """Return what the plugin has written; it may just be at it, and does so in place."""
    for _ in range(_TIMES):
        with suppress(ValueError):
            return dict(json.loads(path.read_text(encoding="utf-8")))
        time.sleep(_BETWEEN)
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _due(user: str, community: str) -> set[tuple[str, str]]:
    """Return the rights that a client of this name has at most."""
    if user == allowed.HUB:
        return _topics(allowed.hub_rights(community))
    if user == allowed.OPERATOR:
        return _topics(allowed.operator_rights())
    invited = user.removeprefix("invited.")
    try:
        if invited != user:
            return _topics(allowed.invited_rights(community, invited))
        return _topics(allowed.home_rights(community, user))
    except RefusedError:
        return set()


def _topics(rights: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return what rights allow."""
    return {(right["acltype"], right["topic"]) for right in rights if right.get("allow")}
