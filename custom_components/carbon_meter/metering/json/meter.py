"""A meter with a JSON page: its profile's requests become a reading."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
import time
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import aiohttp

from ..errors import MeterAuthError, MeterGarbledError, MeterRejectedError, MeterSilentError
from ..readings import Reading
from .extraction import Extractor, combined, complete_settings
from .placeholders import Settings, filled
from .profile import AuthKind, JsonProfile, Request
from .web import PATIENCE, Access, Credentials, PageMissingError, Web

_NO_SETTINGS: Settings = MappingProxyType({})


class HttpJsonMeter:
    """One meter behind an address, read by its profile.

    A page that this device does not have is not asked for again once a reading has worked.
    """

    def __init__(  # noqa: PLR0913  # what makes up a meter
        self,
        session: aiohttp.ClientSession,
        profile: JsonProfile,
        *,
        base_url: str,
        settings: Settings = _NO_SETTINGS,
        credentials: Credentials | None = None,
        clock: Callable[[], float] = time.time,
        web: Web | None = None,
    ) -> None:
        """Prepare the requests.

        `base_url` is `http://host[:port]`, `settings` what tells this meter from others in
        the device, `web` what asks for the pages instead of a new `Web`. `clock` gives
        seconds since 1970 UTC. Raises ValueError for settings that do not fit.
        """
        self.profile = profile
        self._web = web or Web(session, base_url, credentials=credentials)
        self._clock = clock
        self._extractor = Extractor(profile, settings)
        self._access = access_of(profile)
        complete = complete_settings(profile, settings)
        self._requests = tuple(
            (request, filled(request.path, complete, _quoted)) for request in profile.requests
        )
        self._plan = tuple(path for _, path in self._requests)
        self._absent_pages: set[str] = set()
        self._found: set[str] | None = None

    @property
    def requests(self) -> tuple[str, ...]:
        """Return the pages of one full reading, as they stand now."""
        return self._plan

    @property
    def absent(self) -> tuple[str, ...]:
        """Return the quantities of the profile that no answer so far has held."""
        if self._found is None:
            return ()
        return tuple(key for key in self.profile.quantities if key not in self._found)

    async def read(self) -> Reading:
        """Read everything once.

        Raises MeterError when the meter cannot be read, MeterAuthError when it wants a
        password. What the device does not know is left out, nonsense becomes a fault.
        """
        pages = await self.pages()
        document = combined(self.profile, pages)
        if self._extractor.is_refused(document):
            raise MeterAuthError(
                f"{self.profile.title} wants a password", kind=self.profile.auth.kind
            )
        if not self._extractor.is_valid(document):
            raise MeterGarbledError(f"{self.profile.title} says that its values are not valid")
        reading = self._extractor.reading(document, self._clock())
        known = {*reading.values, *(fault.quantity for fault in reading.faults)}
        self._found = known | (self._found or set())
        return reading

    async def pages(self) -> Mapping[str, Any]:
        """Return the documents of one reading by name; raises MeterError."""
        pages: dict[str, Any] = {}
        asked: list[str] = []
        missing: dict[str, PageMissingError] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                for request, path in self._needed(pages):
                    try:
                        pages[request.name] = await self._web.get(
                            path, self._access, request.headers
                        )
                        asked.append(path)
                    except PageMissingError as err:
                        missing[path] = err
                    except MeterAuthError as err:
                        kind = self.profile.auth.kind if err.kind == AuthKind.NONE else err.kind
                        raise MeterAuthError(str(err), kind=kind) from err
                    except MeterRejectedError:
                        if not request.optional:
                            raise
        except TimeoutError as err:
            raise MeterSilentError(f"{self.profile.title}: no full answer in time") from err
        self._check_complete(pages, missing)
        self._absent_pages |= set(missing)
        self._plan = tuple(asked)
        return pages

    def _needed(self, pages: Mapping[str, Any]) -> Iterator[tuple[Request, str]]:
        """Yield the requests that are still needed, while `pages` fills."""
        for request, path in self._requests:
            if path in self._absent_pages or request.name in pages or request.unless in pages:
                continue
            yield request, path

    def _check_complete(
        self, pages: Mapping[str, Any], missing: Mapping[str, PageMissingError]
    ) -> None:
        """Raise what a device said that lacks a page without which it cannot be read."""
        for request, path in self._requests:
            needed = not request.optional and request.unless not in pages
            if needed and request.name not in pages and path in missing:
                # It may have other names now: next time all are tried again.
                self._absent_pages.clear()
                raise missing[path]
        if not pages:
            raise MeterRejectedError(
                f"none of the pages of {self.profile.title} exist in this device", code=404
            )


def access_of(profile: JsonProfile) -> Access:
    """Return how the pages of a family are asked for."""
    return Access(
        auth=profile.auth,
        self_signed=profile.self_signed,
        keep_cookies=profile.session_cookie,
    )


def _quoted(value: str) -> str:
    """Return a setting as it stands in the address of a page."""
    return quote(value, safe=":")
