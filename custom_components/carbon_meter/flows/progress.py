"""Work that a form shows while it is under way."""

import asyncio
from collections.abc import Coroutine
from typing import Any

SHORTEST = 2.0
"""Seconds. The page listens for the end only once it shows the progress: it would miss an earlier
end, and show the progress for ever."""


async def visibly[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """Return what some work returns, or raise what it raises, not before the page can hear it."""
    ended: tuple[Result | BaseException, object] = await asyncio.gather(
        work, asyncio.sleep(SHORTEST), return_exceptions=True
    )
    result, _ = ended
    if isinstance(result, BaseException):
        raise result
    return result
