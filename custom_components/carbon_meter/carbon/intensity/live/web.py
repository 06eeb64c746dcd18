"""A provider's pages, asked for with care.

The aiohttp session is handed in. Requests keep the provider's pace, follow no redirect to another
origin (a key would go along), neither wait nor read without end, and no key or password gets into
a message.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import json
from typing import Any, Final

import aiohttp
from yarl import URL

from .errors import (
    ProviderAuthError,
    ProviderChangedError,
    ProviderError,
    ProviderLimitedError,
    ProviderPlanError,
    ProviderTemporaryError,
    ProviderZoneError,
)
from .provider import Provider
from .retry_after import http_date, retry_after
from .surroundings import Surroundings

LARGEST: Final = 8_000_000
"""Bytes; the longest answer, a few days of XML, has about a tenth of it."""

_OFF_THE_LOOP: Final = 100_000
"""Bytes from which on an answer is decoded in a thread."""

_WORDS: Final = 10_000
"""Bytes up to which the body of a refusal is looked into."""

_REDIRECTS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_UNKNOWN: Final = frozenset({400, 404, 410, 422})
"""Answers that mean that what was asked for is not there."""

type Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back."""

    status: int
    body: bytes


class Web:
    """A provider behind an address.

    `skew` is by how many seconds its clock is ahead of ours, as far as its answers tell.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        provider: Provider,
        base_url: str | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        """Take where the provider is, if elsewhere, and `secrets` that nobody may read."""
        self._base_url = (base_url or provider.base_url).rstrip("/")
        self.pace = surroundings.paces.of(provider, self._base_url)
        self.skew: float | None = None
        self._session = surroundings.session
        self._provider = provider
        self._clock = surroundings.clock
        self._secrets = tuple(filter(None, secrets))
        self._patience = surroundings.patience

    async def json(
        self,
        path: str,
        parameters: Parameters = (),
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the JSON document of a page.

        Raises the ProviderError that fits: see `reply`. An answer that is not JSON is a
        ProviderTemporaryError: providers in trouble send pages for people.
        """
        reply = await self.reply(path, parameters, headers=headers)
        return await self.decoded(path, reply.body, json.loads)

    async def decoded[Document](
        self, path: str, body: bytes, decode: Callable[[str], Document]
    ) -> Document:
        """Return what a body says, which ends a row of failures; off the loop where it is long.

        Raises ProviderTemporaryError for what is no such document, whole.
        """
        try:
            text = body.decode("utf-8-sig")
            if len(body) < _OFF_THE_LOOP:
                document = decode(text)
            else:
                document = await asyncio.to_thread(decode, text)
        except (ValueError, SyntaxError, RecursionError) as err:
            # Beside what is cut off: numbers with thousands of digits, brackets without end.
            raise ProviderTemporaryError(
                f"{self._place(path)}: the answer cannot be read ({type(err).__name__})",
                retry_after=self.pace.failed(),
            ) from None
        self.pace.succeeded()
        return document

    async def reply(
        self,
        path: str,
        parameters: Parameters = (),
        *,
        headers: Mapping[str, str] | None = None,
        accepted: frozenset[int] = frozenset({200}),
    ) -> Reply:
        """Return an answer whose status is accepted.

        Raises ProviderLimitedError before its turn and for 429, ProviderAuthError for a key that
        is not accepted, ProviderPlanError for one that is not enough, ProviderZoneError for what
        the provider does not know, ProviderTemporaryError for silence, connections that fail and
        its own trouble, and ProviderChangedError for everything that is not foreseen.
        """
        await self.pace.turn()
        try:
            with self._translated(path):
                async with asyncio.timeout(self._patience):
                    reply = await self._fetched(path, parameters, headers or {}, accepted)
        except ProviderTemporaryError as err:
            err.retry_after = max(self.pace.failed(), err.retry_after or 0.0)
            raise
        return reply

    async def _fetched(
        self,
        path: str,
        parameters: Parameters,
        headers: Mapping[str, str],
        accepted: frozenset[int],
    ) -> Reply:
        """Ask, and follow redirects within the origin."""
        url = URL(self._base_url + path).update_query(list(parameters))
        origin = url.origin()
        for _ in range(_REDIRECTS + 1):
            async with self._session.get(
                url,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._patience / 2),
                allow_redirects=False,
                raise_for_status=False,
            ) as response:
                self._learn_clock(response)
                if response.status not in _MOVED:
                    body = await self._read(response, path)
                    if response.status not in accepted:
                        raise self._refusal(path, response, body)
                    return Reply(status=response.status, body=body)
                target = response.headers.get("Location", "")
            url = url.join(URL(target))
            if url.host is None or url.origin() != origin:
                raise ProviderChangedError(f"{self._place(path)}: leads to another address")
        raise ProviderChangedError(f"{self._place(path)}: leads in circles")

    def _learn_clock(self, response: aiohttp.ClientResponse) -> None:
        """Take note of how far the clocks are apart."""
        if (moment := http_date(response.headers.get("Date"))) is not None:
            self.skew = moment - self._clock()

    async def _read(self, response: aiohttp.ClientResponse, path: str) -> bytes:
        """Return a body that is not too long."""
        body = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > LARGEST:
                raise ProviderChangedError(
                    f"{self._place(path)}: longer than {LARGEST // 1_000_000} MB"
                )
        return bytes(body)

    def _refusal(self, path: str, response: aiohttp.ClientResponse, body: bytes) -> ProviderError:
        """Return the error that a status means."""
        status = response.status
        text = f"{self._place(path)}: HTTP {status}{self._said(body)}"
        asked = retry_after(response.headers.get("Retry-After"), self._clock() + (self.skew or 0.0))
        if status == 429:
            wait = self._provider.ban if asked is None else asked
            self.pace.close(wait)
            return ProviderLimitedError(text, retry_after=wait)
        if status >= 500 or status == 408:
            if asked is not None:
                self.pace.close(asked)
            return ProviderTemporaryError(text, retry_after=asked)
        kinds: dict[int, type[ProviderError]] = {
            402: ProviderPlanError,
            403: ProviderPlanError,
            **dict.fromkeys(_UNKNOWN, ProviderZoneError),
            **dict.fromkeys(self._provider.auth_statuses, ProviderAuthError),
        }
        return kinds.get(status, ProviderChangedError)(text)

    def _said(self, body: bytes) -> str:
        """Return the provider's own words on a refusal, if it has some for people."""
        try:
            document = json.loads(body[:_WORDS])
        except ValueError, RecursionError:
            return ""
        for key in ("error", "message", "detail", "description"):
            if isinstance(document, dict) and (inner := document.get(key)):
                document = inner
        if not isinstance(document, str):
            return ""
        for secret in self._secrets:
            document = document.replace(secret, "***")
        words = " ".join("".join(c if c.isprintable() else " " for c in document).split())
        return f" ({words[:120]})" if words else ""

    def _place(self, path: str) -> str:
        """Return how a page is called in a message."""
        return f"{self._provider.name}, {path.partition('?')[0]}"

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        """Raise our errors for those of the HTTP library, which may quote the whole address."""
        try:
            yield
        except aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError:
            text = "no connection"
        except TimeoutError:
            text = "no answer in time"
        except aiohttp.ClientPayloadError:
            text = "the answer is cut off"
        except aiohttp.ServerDisconnectedError, aiohttp.ClientOSError:
            text = "the connection was closed instead of an answer"
        except (aiohttp.ClientError, ValueError) as err:
            text = f"the answer is not HTTP ({type(err).__name__})"
        else:
            return
        raise ProviderTemporaryError(f"{self._place(path)}: {text}") from None
