"""The rights as the plugin keeps them in its file, changed while the broker does not run."""

import json
from pathlib import Path
from typing import Any, Final

from custom_components.carbon_meter.community.hub import rights

from .errors import BrokerError
from .layout import rights_template, write_private

HUB: Final = rights.HUB

OPERATOR: Final = rights.OPERATOR


def begin(path: Path, community: str, *, is_fresh: bool = False) -> None:
    """Write the file in which hub and operator alone have rights.

    One that `is_fresh` has the hub tell it all rights at the next connect.
    """
    state = json.loads(rights_template())
    for role, allowed in (
        (HUB, rights.hub_rights(community)),
        (OPERATOR, rights.operator_rights()),
    ):
        state["roles"].append(_role(role, allowed))
        state["clients"].append(_client(role, role))
    if is_fresh:
        state["roles"].append(_role(rights.FRESH, []))
    _save(path, state)


def enrol(path: Path, community: str, *homes: str) -> None:
    """Give homes their rights."""
    state = _load(path)
    roles = {home: rights.home_role(home) for home in homes}
    state["roles"] = _with(
        state["roles"],
        "rolename",
        [_role(role, rights.home_rights(community, home)) for home, role in roles.items()],
    )
    state["clients"] = _with(
        state["clients"], "username", [_client(home, role) for home, role in roles.items()]
    )
    _save(path, state)


def remove(path: Path, home: str) -> None:
    """Take all rights of a home."""
    state = _load(path)
    users = {home, rights.invited_user(home)}
    roles = {rights.home_role(home), rights.invited_role(home)}
    state["clients"] = [item for item in state["clients"] if item["username"] not in users]
    state["roles"] = [item for item in state["roles"] if item["rolename"] not in roles]
    _save(path, state)


def revoke(path: Path, home: str) -> None:
    """Take all rights of a home, and leave the mark that it was put out."""
    remove(path, home)
    state = _load(path)
    marked = sorted({*_revoked(state), home})
    group = {
        "groupname": rights.REVOKED,
        "roles": [],
        "clients": [{"username": name} for name in marked],
    }
    state["groups"] = _with(state["groups"], "groupname", [group])
    state["clients"] = _with(state["clients"], "username", [{"username": home, "roles": []}])
    _save(path, state)


def revoked(path: Path) -> set[str]:
    """Return who was put out."""
    return _revoked(_load(path))


def users(path: Path) -> set[str]:
    """Return the names that have any right."""
    state = _load(path)
    return {client["username"] for client in state["clients"]} - _revoked(state)


def _revoked(state: dict[str, Any]) -> set[str]:
    """Return who has the mark of those put out."""
    return {
        client["username"]
        for group in state["groups"]
        if group["groupname"] == rights.REVOKED
        for client in group["clients"]
    }


def _client(user: str, role: str) -> dict[str, Any]:
    return {"username": user, "roles": [{"rolename": role}]}


def _role(name: str, allowed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"rolename": name, "acls": allowed}


def _with(
    items: list[dict[str, Any]], key: str, more: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the items with more of them, each in the place of the one of the same name."""
    return list({item[key]: item for item in [*items, *more]}.values())


def _load(path: Path) -> dict[str, Any]:
    """Return the plugin's state; raises BrokerError for a file that holds none."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        parts = {
            name: [dict(item) for item in state.get(name, ())]
            for name in ("clients", "roles", "groups")
        }
        _ = [client["username"] for client in parts["clients"]]
        _ = [role["rolename"] for role in parts["roles"]]
        for group in parts["groups"]:
            group["clients"] = [dict(client) for client in group.get("clients", ())]
        _ = [client["username"] for group in parts["groups"] for client in group["clients"]]
        _ = [group["groupname"] for group in parts["groups"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
        raise BrokerError(f"{path} cannot be read: {err}") from err
    return dict(state) | parts


def _save(path: Path, state: dict[str, Any]) -> None:
    write_private(path, json.dumps(state, indent="\t") + "\n")
