"""Who may do what on a community's broker: roles of mosquitto's dynamic-security plugin.

Everything is denied that a role does not allow. A role allows a filter of a subscription only as it
stands there (a literal), so that nobody can hang thousands of subscriptions into the broker, or
join a shared one. Since a right hangs on the name of a client, and the name is that of its
certificate, a home has nothing but its own topics, whatever it calls itself.
"""

from typing import Any, Final

from ..contract import topics
from ..contract.refusal import Code, RefusedError

CONTROL: Final = "$CONTROL/dynamic-security/v1"
"""Where commands to the plugin go, and, below it, its answers."""

HUB: Final = "hub"
"""The name in the hub's certificate, and of its role."""


OPERATOR: Final = "operator"
"""The name in the certificate of the tool that changes rights by hand, and of its role."""

RESERVED: Final = topics.RESERVED_HOMES | {HUB, OPERATOR}
"""Names that have other rights than a home."""

FRESH: Final = "fresh"
"""An empty role of a broker whom the hub has told nothing yet; it belongs to nobody."""

REVOKED: Final = "revoked"
"""A group without rights: who is in it was put out, and is given no rights again."""

CUT: Final = "cut"
"""A group without rights: who is in it was cut off for a while."""

WITHDRAWN: Final = "withdrawn"
"""A group without rights of names that nobody has: of homes of which all was deleted."""


def checked_home(home: str) -> str:
    """Return an id that a home may have on a broker; raises RefusedError for another."""
    if topics.checked_id(home) in RESERVED:
        raise RefusedError(Code.TOPIC, "CM-2", f"no home is called {home}")
    return home


def invited_user(home: str) -> str:
    """Return the name under which an invitation logs in; a dot is in no id."""
    return f"invited.{checked_home(home)}"


def withdrawn_user(home: str) -> str:
    """Return the name by which a broker remembers that all of a home was deleted.

    Nobody logs in under it: a dot is in no id, and it has no password.
    """
    return f"{WITHDRAWN}.{checked_home(home)}"


def home_of(user: str) -> str:
    """Return the home of a name under which it, or its invitation, logs in."""
    return user.removeprefix("invited.")


def invited_role(home: str) -> str:
    """Return the name of the role of an invitation."""
    return f"invited-{checked_home(home)}"


def home_role(home: str) -> str:
    """Return the name of the role of an enrolled home."""
    return f"home-{checked_home(home)}"


def hub_rights(community: str) -> list[dict[str, Any]]:
    """Return what the hub may do: hear all homes, answer each, and manage the rights."""
    below = f"{topics.ROOT}/{topics.checked_id(community)}"
    return [
        *_hearing(topics.to_hub(community)),
        _allow("publishClientSend", f"{below}/+/down/+"),
        *operator_rights(),
    ]


def operator_rights() -> list[dict[str, Any]]:
    """Return what it takes to manage the rights."""
    return [_allow("publishClientSend", CONTROL), *_hearing(f"{CONTROL}/response")]


def home_rights(community: str, home: str) -> list[dict[str, Any]]:
    """Return what an enrolled home may do: write below its own id, hear what is sent to it."""
    below = f"{topics.ROOT}/{topics.checked_id(community)}/{checked_home(home)}"
    return [
        _allow("publishClientSend", f"{below}/up/#"),
        *_hearing(topics.to_home(community, home)),
    ]


def invited_rights(community: str, home: str) -> list[dict[str, Any]]:
    """Return what an invitation may do: ask for a certificate and hear the answer."""
    below = f"{topics.ROOT}/{topics.checked_id(community)}/{checked_home(home)}"
    return [
        _allow("publishClientSend", f"{below}/up/csr"),
        *_hearing(f"{below}/down/cert"),
    ]


def _hearing(pattern: str) -> list[dict[str, Any]]:
    """Return the rights to subscribe to just this filter, to hear it and to leave it."""
    return [
        _allow("subscribeLiteral", pattern),
        _allow("unsubscribeLiteral", pattern),
        _allow("publishClientReceive", pattern),
    ]


def _allow(kind: str, topic: str) -> dict[str, Any]:
    """Return one right as the plugin writes it."""
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}
