"""How virtual devices ask who is there, as real ones do."""

import base64
from dataclasses import dataclass, field
import hashlib
import hmac
import re
import secrets
from typing import Final

from aiohttp import web

from custom_components.carbon_meter.metering.json.profile import Auth, AuthKind
from custom_components.carbon_meter.metering.json.web import Credentials

REALM: Final = "device"


@dataclass
class Doorkeeper:
    """Lets in who knows the password."""

    auth: Auth
    credentials: Credentials
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return what somebody gets who is not let in, None for others."""
        if self._knows(request):
            return None
        headers = {}
        if self.auth.kind is AuthKind.BASIC:
            headers["WWW-Authenticate"] = f'Basic realm="{REALM}"'
        elif self.auth.kind is AuthKind.DIGEST:
            headers["WWW-Authenticate"] = (
                f'Digest qop="auth", realm="{REALM}", nonce="{self.nonce}", algorithm=SHA-256'
            )
        return web.json_response({"error": "unauthorized"}, status=401, headers=headers)

    def _knows(self, request: web.Request) -> bool:
        """Return whether a request proves that it knows the password."""
        given = request.headers.get("Authorization", "")
        match self.auth.kind:
            case AuthKind.BASIC:
                pair = f"{self._user}:{self.credentials.password}".encode()
                return given == f"Basic {base64.b64encode(pair).decode()}"
            case AuthKind.BEARER:
                return given == f"Bearer {self.credentials.token}"
            case AuthKind.API_KEY:
                return request.headers.get(self.auth.header) == self.credentials.token
            case AuthKind.QUERY:
                query = request.query
                return (query.get("user"), query.get("password")) == (
                    self._user,
                    self.credentials.password,
                )
            case AuthKind.DIGEST:
                return self._digest_fits(request, given)
            case _:
                return True

    @property
    def _user(self) -> str:
        return self.credentials.username or self.auth.user

    def _digest_fits(self, request: web.Request, given: str) -> bool:
        """Return whether a digest of RFC 7616 with SHA-256 is right."""
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', given.removeprefix("Digest ")))
        if said.get("nonce") != self.nonce or said.get("uri") != request.raw_path:
            return False
        secret = _hash(f"{self._user}:{REALM}:{self.credentials.password}")
        what = _hash(f"{request.method}:{request.raw_path}")
        parts = (secret, self.nonce, said.get("nc"), said.get("cnonce"), said.get("qop"), what)
        return hmac.compare_digest(
            said.get("response", ""), _hash(":".join(str(part) for part in parts))
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
