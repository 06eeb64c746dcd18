"""The hub's hand on the broker: gives and takes the rights of homes while the broker runs.

Commands go to mosquitto's dynamic-security plugin as messages. Every decision is one message with
all its commands, so that it is carried out in one go, and every command can come again: what is
there already, or gone already, is no fault.
"""

from collections.abc import Callable
from contextlib import suppress
import json
from typing import Any, Final

from ..contract import topics
from ..contract.refusal import RefusedError
from . import rights

ANSWERS: Final = f"{rights.CONTROL}/response"
"""What the hub subscribes to, to hear of commands that failed."""

_DONE_BEFORE: Final = {
    "addClientRole": "client not found",
    "addGroupClient": "client not found",
    "createClient": "client already exists",
    "createGroup": "group already exists",
    "createRole": "role already exists",
    "deleteClient": "client not found",
    "deleteRole": "role not found",
    "getGroup": "group not found",
    "getRole": "role not found",
    "removeClientRole": "client not found",
    "removeGroupClient": "client not found",
}
"""The plugin's word for a command that has come again."""

_WHO_IS_REVOKED: Final = {"command": "getGroup", "groupname": rights.REVOKED}
_WHO_IS_CUT: Final = {"command": "getGroup", "groupname": rights.CUT}
_WHO_HAS_WITHDRAWN: Final = {"command": "getGroup", "groupname": rights.WITHDRAWN}
_FOR_WITHDRAWN: Final = {"command": "createGroup", "groupname": rights.WITHDRAWN}


class DynsecControl:
    """Rights by commands to the broker's plugin; one thread at a time."""

    def __init__(
        self, community: str, publish: Callable[[str, bytes], None], mark: str | None = None
    ) -> None:
        """Take the community's id and how to send a message with QoS 1.

        `publish` raises whatever it raises without a connection: the caller then tries again.
        With a `mark` answers to these commands can be told from those to others.
        """
        self._community = topics.checked_id(community)
        self._publish = publish
        self._mark = {} if mark is None else {"correlationData": mark}

    def invited(self, home: str, token: str) -> None:
        """Let an invitation log in with its token, to ask for a certificate and nothing else."""
        user, role = rights.invited_user(home), rights.invited_role(home)
        self._send(
            _deleted_client(user),
            _deleted_role(role),
            _created_role(role, rights.invited_rights(self._community, home)),
            _created_client(user, role, password=token),
        )

    def enrolled(self, home: str) -> None:
        """Give a home its rights under the name of its certificate.

        Its invitation stays: the certificate may still be on its way.
        """
        role = rights.home_role(home)
        self._send(
            _created_role(role, rights.home_rights(self._community, home)),
            _created_client(home, role),
        )

    def settled(self, home: str) -> None:
        """Take an invitation's right to log in, and throw out who is logged in with it."""
        self._send(*_closed(home))

    def gone(self, home: str) -> None:
        """Take all rights of a home and throw it out."""
        self._send(*_gone(home))

    def revoked(self, home: str) -> None:
        """Take all rights of a home, throw it out, and leave a mark that it was put out.

        Whoever listens to `ANSWERS` is told who has such a mark. `enrolled` gives no rights to a
        home that has one; `gone` takes it away.
        """
        marked = {"username": home, "groups": [{"groupname": rights.REVOKED}]}
        self._send(
            *_gone(home),
            {"command": "createGroup", "groupname": rights.REVOKED},
            {"command": "createClient"} | marked,
            _WHO_IS_REVOKED,
        )

    def withdrawn(self, home: str) -> None:
        """Leave a mark that all of a home was deleted; nothing takes it away.

        The home is not touched: a name that nobody has is the mark.
        """
        marked = {
            "username": rights.withdrawn_user(home),
            "groups": [{"groupname": rights.WITHDRAWN}],
        }
        self._send(_FOR_WITHDRAWN, {"command": "createClient"} | marked)

    def cut(self, home: str) -> None:
        """Throw a home and its invitation out, without rights, with a mark that outlives the hub.

        Not by `disableClient`: at the door for certificates mosquitto 2.0 does not look at that.
        """
        self._send(
            {"command": "createGroup", "groupname": rights.CUT},
            *(
                {"command": command, "username": user} | more
                for user, role in _doors(home)
                for command, more in (
                    ("addGroupClient", {"groupname": rights.CUT}),
                    ("removeClientRole", {"rolename": role}),
                )
            ),
        )

    def let_in(self, home: str) -> None:
        """Give a home back what `cut` has taken."""
        self._send(
            *(
                {"command": command, "username": user} | more
                for user, role in _doors(home)
                for command, more in (
                    ("addClientRole", {"rolename": role}),
                    ("removeGroupClient", {"groupname": rights.CUT}),
                )
            )
        )

    def inquire(self) -> None:
        """Ask who was put out, cut off or deleted, and whether the broker knows but the hub.

        The answer comes with `ANSWERS`. The operator's tool may have put somebody out; a broker
        may be new, or have lost its file of rights in a crash; the hub's own files may come from
        a backup. Worth asking after every connect.
        """
        fresh = {"command": "getRole", "rolename": rights.FRESH}
        self._send(
            _WHO_IS_REVOKED,
            _WHO_IS_CUT,
            # So that nobody marked is told from no answer.
            _FOR_WITHDRAWN,
            _WHO_HAS_WITHDRAWN,
            fresh,
        )

    def refreshed(self) -> None:
        """Have the broker remember that it was told everything."""
        self._send(_deleted_role(rights.FRESH))

    def _send(self, *commands: dict[str, Any]) -> None:
        message = {"commands": [command | self._mark for command in commands]}
        self._publish(rights.CONTROL, json.dumps(message, separators=(",", ":")).encode())


def answers(payload: bytes, mark: str) -> bool:
    """Tell whether one of the plugin's answers is to commands with this mark."""
    try:
        return bool(json.loads(payload)["responses"][0]["correlationData"] == mark)
    except ValueError, KeyError, TypeError, IndexError, RecursionError:
        return False


def is_fresh(payload: bytes) -> bool:
    """Tell whether one of the plugin's answers says that the broker knows nothing.

    Then tell it all rights again, and `refreshed` when that is done.
    """
    return any(_names(data, "role", "rolename") == rights.FRESH for data in _told(payload))


def revoked_in(payload: bytes) -> list[str]:
    """Return who was put out, as far as one of the plugin's answers says it."""
    return _in_group(payload, rights.REVOKED) or []


def cut_in(payload: bytes) -> list[str]:
    """Return who is cut off, as far as one of the plugin's answers says it."""
    return sorted({rights.home_of(user) for user in _in_group(payload, rights.CUT) or ()})


def withdrawn_in(payload: bytes) -> set[str] | None:
    """Return of whom all was deleted, None if one of the plugin's answers does not say it."""
    marks = _in_group(payload, rights.WITHDRAWN)
    return None if marks is None else {home for mark in marks if (home := _marked(mark))}


def _marked(mark: str) -> str | None:
    """Return the home of a mark, None for a name that the hub has not made."""
    home = mark.removeprefix(f"{rights.WITHDRAWN}.")
    with suppress(RefusedError):
        return home if mark == rights.withdrawn_user(home) else None
    return None


def _in_group(payload: bytes, group: str) -> list[str] | None:
    """Return the names in a group that one of the plugin's answers tells of, None of none."""
    for data in _told(payload):
        if _names(data, "group", "groupname") == group:
            clients = data["group"].get("clients")
            held = clients if isinstance(clients, list) else []
            named = [_names({"client": each}, "client", "username") for each in held]
            return [name for name in named if name is not None]
    return None


def complaints(payload: bytes) -> list[str]:
    """Return what the plugin could not do, as `command: reason`, of one of its answers.

    What was done before is no complaint.
    """
    try:
        answers = json.loads(payload)["responses"]
        failed = [
            (str(answer["command"]), str(answer["error"]))
            for answer in answers
            if "error" in answer
        ]
    except ValueError, KeyError, TypeError, RecursionError:
        return ["the plugin's answer cannot be read"]
    return [
        f"{command}: {reason}"
        for command, reason in failed
        if _DONE_BEFORE.get(command) != reason.lower()
    ]


def _told(payload: bytes) -> list[dict[str, Any]]:
    """Return what one of the plugin's answers tells, nothing of one that cannot be read."""
    try:
        answers = json.loads(payload)["responses"]
        found = [answer.get("data") for answer in answers]
    except ValueError, KeyError, TypeError, AttributeError, RecursionError:
        return []
    return [data for data in found if isinstance(data, dict)]


def _names(data: dict[str, Any], sort: str, key: str) -> str | None:
    """Return what a role, a group or a client in an answer is called."""
    held = data.get(sort)
    name = held.get(key) if isinstance(held, dict) else None
    return name if isinstance(name, str) else None


def _gone(home: str) -> list[dict[str, Any]]:
    """Return the commands that leave nothing of a home."""
    return [_deleted_client(home), _deleted_role(rights.home_role(home)), *_closed(home)]


def _closed(home: str) -> list[dict[str, Any]]:
    """Return the commands that end an invitation."""
    return [_deleted_client(rights.invited_user(home)), _deleted_role(rights.invited_role(home))]


def _doors(home: str) -> list[tuple[str, str]]:
    """Return the names under which a home comes in, each with its role."""
    return [
        (home, rights.home_role(home)),
        (rights.invited_user(home), rights.invited_role(home)),
    ]


def _created_client(user: str, role: str, password: str | None = None) -> dict[str, Any]:
    secret = {} if password is None else {"password": password}
    return {"command": "createClient", "username": user, **secret, "roles": [{"rolename": role}]}


def _created_role(role: str, allowed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"command": "createRole", "rolename": role, "acls": allowed}


def _deleted_client(user: str) -> dict[str, Any]:
    return {"command": "deleteClient", "username": user}


def _deleted_role(role: str) -> dict[str, Any]:
    return {"command": "deleteRole", "rolename": role}
