"""One device's pages, asked for with care.

The aiohttp session is handed in. Requests only read, follow no redirect to another origin,
and neither wait nor read without end.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from ..errors import (
    MeterAuthError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)
from .documents import LARGEST, NotJsonError, decode_document
from .profile import NO_AUTH, Auth, AuthKind

PATIENCE: Final = 10.0
"""Seconds for an answer."""

_REDIRECTS: Final = 3
_MISSING: Final = frozenset({404, 405, 410, 501})
"""Answers that mean that a device has no such page, rather than that it is in trouble."""

_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_OPEN: Final = frozenset({AuthKind.NONE, AuthKind.BASIC})
"""Families whose devices may want something safer than their profile knows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What a device may want to know before it answers."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """A bearer token or an API key."""

    def serve(self, kind: AuthKind) -> bool:
        """Return whether they are of a kind that a device wants."""
        if kind in (AuthKind.BEARER, AuthKind.API_KEY):
            return bool(self.token)
        return kind is not AuthKind.SESSION and bool(self.username or self.password)


class PageMissingError(MeterRejectedError):
    """The device has no such page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """How pages of one family are asked for."""

    auth: Auth = NO_AUTH
    self_signed: bool = False
    keep_cookies: bool = False


class Web:
    """A device behind an address."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        credentials: Credentials | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Take the address, `http://host[:port]`; raises ValueError for what is none."""
        url = URL(base_url)
        if url.scheme not in ("http", "https") or not url.host or url.user:
            raise ValueError(f"{base_url!r} is not the address of a device")
        self.base_url = str(url.origin()) + url.raw_path.rstrip("/")
        self._session = session
        self._credentials = credentials
        self._patience = patience
        self._digest: aiohttp.DigestAuthMiddleware | None = None
        self._wanted: AuthKind | None = None
        self._cookies: dict[str, str] = {}

    async def get(
        self,
        path: str,
        access: Access,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        """Return the JSON document of a page.

        Raises PageMissingError when there is none and MeterAuthError when a password is
        wanted; MeterUnreachableError, MeterSilentError, MeterGarbledError (not JSON, too
        long, cut off) or MeterRejectedError (another HTTP status) for the rest.
        """
        url = URL(self.base_url + path, encoded=True)
        with _translated(url.path):
            async with asyncio.timeout(self._patience):
                body = await self._body(url, access, headers)
        try:
            return decode_document(body)
        except NotJsonError as err:
            raise MeterGarbledError(f"{url.path}: not JSON: {err}") from err

    async def _body(self, url: URL, access: Access, headers: Mapping[str, str]) -> bytes:
        """Return what stands on a page."""
        origin, path = url.origin(), url.path
        for _ in range(_REDIRECTS + 1):
            kind = self._kind(access.auth)
            async with self._session.get(
                self._signed(url, access.auth, kind),
                headers={**headers, **self._authorization(access.auth, kind)},
                middlewares=self._middlewares(access.auth, kind),
                cookies=self._cookies if access.keep_cookies else None,
                ssl=not access.self_signed,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience / 2),
                allow_redirects=False,
                raise_for_status=False,
            ) as response:
                if self._learns(response, access.auth, kind):
                    continue
                if response.status not in _MOVED:
                    self._check(response, kind, path)
                    if access.keep_cookies:
                        self._cookies |= {
                            name: morsel.value for name, morsel in response.cookies.items()
                        }
                    return await _read(response, path)
                target = response.headers.get("Location", "")
            url = url.join(URL(target))
            if url.host is None or url.origin() != origin:
                # Without its query: a device may repeat there the password that it was told.
                named = url.with_query(None).with_user(None) if url.host else url.scheme
                raise MeterGarbledError(f"{path}: leads to another address, {str(named)!r}")
        raise MeterGarbledError(f"{path}: leads in circles")

    def _kind(self, auth: Auth) -> AuthKind:
        """Return how to say who asks: as the device wants it, else as its family does."""
        if self._credentials is None:
            return AuthKind.NONE
        kind = self._wanted if self._wanted and auth.kind in _OPEN else auth.kind
        return kind if self._credentials.serve(kind) else AuthKind.NONE

    def _learns(self, response: aiohttp.ClientResponse, auth: Auth, kind: AuthKind) -> bool:
        """Return whether the device's refusal shows another way to try.

        Never from a digest to a password in the clear.
        """
        wanted = _stated(response)
        if response.status != 401 or auth.kind not in _OPEN or wanted is None:
            return False
        if self._credentials is None or not self._credentials.serve(wanted):
            return False
        if self._wanted is AuthKind.DIGEST:
            return False
        learned, self._wanted = wanted not in (kind, self._wanted), wanted
        return learned

    def _check(self, response: aiohttp.ClientResponse, kind: AuthKind, path: str) -> None:
        """Raise for a status that is no answer."""
        status = response.status
        if status in (401, 403):
            reason = "a password is wanted" if status == 401 else "access is not allowed"
            if kind is not AuthKind.NONE:
                reason = "the password or token is not accepted"
            raise MeterAuthError(
                f"{path}: {reason} (HTTP {status})", kind=_stated(response) or kind
            )
        if status in _MISSING:
            raise PageMissingError(f"{path}: there is no such page (HTTP {status})", code=status)
        if status != 200:
            raise MeterRejectedError(f"{path}: HTTP {status}", code=status)

    def _signed(self, url: URL, auth: Auth, kind: AuthKind) -> URL:
        """Return an address, with user and password where the device wants them there."""
        if kind is not AuthKind.QUERY or self._credentials is None:
            return url
        # Appended as text: what stands in the address stays as it is written.
        user, password = quote(self._user(auth)), quote(self._credentials.password)
        joint = "&" if url.raw_query_string else "?"
        return URL(f"{url}{joint}user={user}&password={password}", encoded=True)

    def _authorization(self, auth: Auth, kind: AuthKind) -> dict[str, str]:
        """Return the headers that say who asks."""
        credentials = self._credentials
        match kind:
            case AuthKind.BASIC if credentials:
                basic = aiohttp.encode_basic_auth(self._user(auth), credentials.password)
                return {"Authorization": basic}
            case AuthKind.BEARER if credentials:
                return {"Authorization": f"Bearer {credentials.token}"}
            case AuthKind.API_KEY if credentials:
                return {auth.header: credentials.token}
            case _:
                return {}

    def _middlewares(self, auth: Auth, kind: AuthKind) -> tuple[aiohttp.DigestAuthMiddleware, ...]:
        """Return what answers the challenge of a device that wants a digest."""
        if kind is not AuthKind.DIGEST or self._credentials is None:
            return ()
        if self._digest is None:
            self._digest = aiohttp.DigestAuthMiddleware(
                self._user(auth), self._credentials.password
            )
        return (self._digest,)

    def _user(self, auth: Auth) -> str:
        return (self._credentials.username if self._credentials else "") or auth.user


def _stated(response: aiohttp.ClientResponse) -> AuthKind | None:
    """Return how a device that refuses wants to be told who asks, if it says so."""
    challenges = " ".join(response.headers.getall("WWW-Authenticate", ())).lower()
    for kind in (AuthKind.DIGEST, AuthKind.BASIC, AuthKind.BEARER):
        if kind in challenges:
            return kind
    return None


async def _read(response: aiohttp.ClientResponse, path: str) -> bytes:
    """Return a body that is not too long."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > LARGEST:
            raise MeterGarbledError(f"{path}: longer than {LARGEST // 1_000_000} MB")
    return bytes(body)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    """Raise our errors for those of the HTTP library."""
    try:
        yield
    except aiohttp.ClientConnectorError as err:
        if isinstance(err.os_error, ConnectionRefusedError):
            raise MeterRefusedError(str(err)) from err
        raise MeterUnreachableError(str(err)) from err
    except aiohttp.ConnectionTimeoutError as err:
        raise MeterUnreachableError(f"{path}: no connection in time") from err
    except TimeoutError as err:
        raise MeterSilentError(f"{path}: no answer in time") from err
    except aiohttp.ClientPayloadError as err:
        raise MeterGarbledError(f"{path}: the answer is cut off") from err
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as err:
        raise MeterSilentError(f"{path}: the connection was closed instead of an answer") from err
    except aiohttp.ClientResponseError as err:
        # Not the whole of it: that names the address, with the password where it has one.
        raise MeterGarbledError(f"{path}: {' '.join(err.message.split())}") from None
    except (aiohttp.ClientError, ValueError) as err:
        raise MeterGarbledError(f"{path}: {err}") from err
