"""The hub's hand on the broker: gives and takes the rights of homes while the broker runs.

Commands go to mosquitto's dynamic-security plugin as messages. Every decision is one message with
all its commands, so that it is carried out in one go, and every command can come again: what is
there already, or gone already, is no fault.
"""

from collections.abc import Callable
import json
from typing import Any, Final

from ..contract import topics
from . import rights

ANSWERS: Final = f"{rights.CONTROL}/response"
"""What the hub subscribes to, to hear of commands that failed."""

_DONE_BEFORE: Final = {
    "createClient": "client already exists",
    "createRole": "role already exists",
    "deleteClient": "client not found",
    "deleteRole": "role not found",
    "getRole": "role not found",
}
"""The plugin's word for a command that has come again."""


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
        self._send(_deleted_client(home), _deleted_role(rights.home_role(home)), *_closed(home))

    def inquire(self) -> None:
        """Ask whether the broker knows nothing but the hub; the answer comes with `ANSWERS`.

        It is new, or has lost its file of rights in a crash. Worth asking after every connect.
        """
        self._send({"command": "getRole", "rolename": rights.FRESH})

    @staticmethod
    def is_fresh(payload: bytes) -> bool:
        """Tell whether one of the plugin's answers says that the broker knows nothing.

        Then tell it all rights again, and `refreshed` when that is done.
        """
        try:
            (answer,) = json.loads(payload)["responses"]
            return bool(answer["data"]["role"]["rolename"] == rights.FRESH)
        except ValueError, KeyError, TypeError, RecursionError:
            return False

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


def _closed(home: str) -> list[dict[str, Any]]:
    """Return the commands that end an invitation."""
    return [_deleted_client(rights.invited_user(home)), _deleted_role(rights.invited_role(home))]


def _created_client(user: str, role: str, password: str | None = None) -> dict[str, Any]:
    secret = {} if password is None else {"password": password}
    return {"command": "createClient", "username": user, **secret, "roles": [{"rolename": role}]}


def _created_role(role: str, allowed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"command": "createRole", "rolename": role, "acls": allowed}


def _deleted_client(user: str) -> dict[str, Any]:
    return {"command": "deleteClient", "username": user}


def _deleted_role(role: str) -> dict[str, Any]:
    return {"command": "deleteRole", "rolename": role}
