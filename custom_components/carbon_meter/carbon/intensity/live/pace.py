"""How often a provider is asked, kept by construction: nobody can ask faster than this.

All sites that use one provider share its pace, because providers count by address and key.
"""

import asyncio
from collections.abc import Awaitable, Callable
import random
import time
from typing import Final

from .errors import ProviderLimitedError
from .provider import Provider

PATIENCE: Final = 60.0
"""Seconds that a request waits for its turn before it is refused."""

_FIRST: Final = 30.0
_LONGEST: Final = 3600.0
"""Seconds of back-off after the first failure and at most."""


class Pace:
    """Turns for requests: `burst` at once, then one in `spacing` seconds.

    The generic cell rate algorithm (ITU-T I.371): a request that comes before its time waits.
    After failures nobody is asked for a time that doubles, of which a random half is left out, so
    that many homes do not return together.
    """

    def __init__(
        self,
        spacing: float,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Take the seconds between requests; `clock` never goes back, `jitter` is in [0, 1)."""
        self._spacing = spacing
        self._slack = spacing * (max(burst, 1) - 1)
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._due = -float("inf")
        """When the next request would come if they came evenly."""

        self._closed_until = -float("inf")
        self._failures = 0

    @property
    def wait(self) -> float:
        """Return in how many seconds a request may go out."""
        return max(self._due - self._slack - self._clock(), self._closure, 0.0)

    @property
    def _closure(self) -> float:
        return self._closed_until - self._clock()

    async def turn(self, patience: float = PATIENCE) -> None:
        """Wait until a request may go out; raises ProviderLimitedError when that is too long."""
        wait = self.wait
        if wait > patience:
            raise ProviderLimitedError(f"asked again in {wait:.0f} s only", retry_after=wait)
        self._due = max(self._due, self._clock()) + self._spacing
        if wait > 0:
            await self._sleep(wait)
            if self._closure > 0:
                # Another request was told to wait in the meantime.
                raise ProviderLimitedError(
                    f"asked again in {self._closure:.0f} s only", retry_after=self._closure
                )

    def close(self, seconds: float) -> None:
        """Let nobody ask for some seconds."""
        self._closed_until = max(self._closed_until, self._clock() + seconds)

    def failed(self) -> float:
        """Take note of a failure; return for how many seconds nobody asks."""
        whole = min(_LONGEST, _FIRST * 2.0 ** min(self._failures, 16))
        self._failures += 1
        seconds = whole * (0.5 + 0.5 * self._jitter())
        self.close(seconds)
        return seconds

    def succeeded(self) -> None:
        """Take note that the provider answers."""
        self._failures = 0


class Paces:
    """The paces of all providers, by the address that is asked."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Start without any; `clock` never goes back."""
        self._clock, self._sleep = clock, sleep
        self._paces: dict[str, Pace] = {}

    def of(self, provider: Provider, base_url: str) -> Pace:
        """Return the pace of a provider behind an address."""
        if base_url not in self._paces:
            self._paces[base_url] = Pace(
                provider.spacing, burst=provider.burst, clock=self._clock, sleep=self._sleep
            )
        return self._paces[base_url]
