"""A device's pages, each asked for once: for the search for what it is."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, override

import aiohttp

from ..errors import MeterAuthError, MeterError, MeterSilentError, MeterUnreachableError
from .profile import Auth
from .web import Access, Credentials, Web

PATIENCE: Final = 4.0
"""Seconds for one page."""

_SILENCES_BEFORE_GIVING_UP: Final = 2


class RememberingWeb(Web):
    """Pages that are each asked for once; with a password only where one is wanted."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        *,
        credentials: Credentials | None = None,
    ) -> None:
        """Take the device's address, and what may be told to a page that asks."""
        super().__init__(session, base_url, patience=PATIENCE)
        self.answered = False
        self.silences = 0
        self._knowing = (
            Web(session, base_url, credentials=credentials, patience=PATIENCE)
            if credentials is not None
            else None
        )
        self._insisted: set[Auth] = set()
        self._answers: dict[tuple[object, ...], Any] = {}

    @property
    def gives_up(self) -> bool:
        """Return whether nobody seems to be there."""
        return not self.answered and self.silences >= _SILENCES_BEFORE_GIVING_UP

    @override
    async def get(
        self,
        path: str,
        access: Access,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Any:
        """Return a page's document, or raise again what the first attempt raised."""
        key = (path, tuple(sorted(headers.items())))
        if access.auth not in self._insisted:
            try:
                return await self._once(key, super().get, (path, access, headers))
            except MeterAuthError:
                if self._knowing is None:
                    raise
        if self._knowing is None:
            raise MeterAuthError(f"{path}: a password is wanted", kind=access.auth.kind)
        # Only now does the password go out, to a page that has asked for it.
        return await self._once((*key, access.auth), self._knowing.get, (path, access, headers))

    def insist(self, access: Access) -> None:
        """From now on, tell the password to a family that asks for it in its pages."""
        self._insisted.add(access.auth)

    async def _once(
        self,
        key: tuple[object, ...],
        get: Callable[..., Awaitable[Any]],
        question: tuple[str, Access, Mapping[str, str]],
    ) -> Any:
        """Return what has been answered, or ask and take note."""
        if key not in self._answers:
            try:
                self._answers[key] = await get(*question)
            except MeterError as err:
                self._answers[key] = err
                self.silences += isinstance(err, MeterSilentError)
                self.answered |= not isinstance(err, (MeterSilentError, MeterUnreachableError))
            else:
                self.answered = True
        answer = self._answers[key]
        if isinstance(answer, MeterError):
            raise answer
        return answer
