"""Invitations as files in `<config>/carbon_meter/<community>/invitations`, and as downloads."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
import os
from pathlib import Path
from typing import Final

from aiohttp import web
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.http.decorators import require_admin
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from ..community.authority.invitation import Invitation
from ..const import DOMAIN
from ..entries import async_hubs
from .keys import CONF_COMMUNITY

_LINK_HOLDS: Final = timedelta(hours=1)
_URL: Final = f"/api/{DOMAIN}/invitation/{{entry_id}}/{{home}}"


@dataclass(frozen=True, kw_only=True, slots=True)
class InvitationFile:
    """An invitation that was written for the operator to hand on."""

    entry_id: str
    home: str
    path: Path
    text: str
    expires: datetime

    def link(self, hass: HomeAssistant) -> str:
        """Return where it can be downloaded for an hour by whoever is signed in."""
        url = _URL.format(entry_id=self.entry_id, home=self.home)
        return async_sign_path(hass, url, _LINK_HOLDS)


def community_folder(hass: HomeAssistant, community: str) -> Path:
    """Return the folder in which an operator finds what a hub has written."""
    return Path(hass.config.path(DOMAIN, community))


def invitations_folder(hass: HomeAssistant, community: str) -> Path:
    """Return where invitations are written."""
    return community_folder(hass, community) / "invitations"


def write_invitation(entry_id: str, folder: Path, invitation: Invitation) -> InvitationFile:
    """Write an invitation, readable for the owner of the folder alone: it holds a token."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{invitation.home}.json"
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(invitation.as_json())
    new.replace(path)
    return InvitationFile(
        entry_id=entry_id,
        home=invitation.home,
        path=path,
        text=invitation.as_text(),
        expires=datetime.fromtimestamp(invitation.expires, UTC),
    )


def drop_others(folder: Path, waiting: Collection[str]) -> None:
    """Delete the invitations of homes that have joined, or that are invited no more."""
    for path in folder.glob("*.json"):
        if path.stem not in waiting:
            path.unlink(missing_ok=True)


class InvitationView(HomeAssistantView):
    """Hands an invitation out to an administrator."""

    url = _URL
    name = f"api:{DOMAIN}:invitation"

    @require_admin
    async def get(self, request: web.Request, entry_id: str, home: str) -> web.StreamResponse:
        """Return the file."""
        hass = request.app[KEY_HASS]
        for entry in async_hubs(hass):
            if entry.entry_id == entry_id:
                folder = invitations_folder(hass, entry.data[CONF_COMMUNITY])
                path = await hass.async_add_executor_job(_found, folder, home)
                if path is not None:
                    name = f"{path.stem}.json"
                    disposition = f'attachment; filename="{name}"'
                    return web.FileResponse(path, headers={"Content-Disposition": disposition})
        return web.Response(status=HTTPStatus.NOT_FOUND)


def _found(folder: Path, home: str) -> Path | None:
    """Return the file of a home, by comparing names: no path is made of what was asked for."""
    for path in folder.glob("*.json"):
        if path.stem == home:
            return path
    return None
