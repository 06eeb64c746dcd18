"""Work that a form shows lasts long enough to be seen, and ends as it has ended."""

import asyncio
import time

import pytest

from custom_components.carbon_meter.flows import progress


async def _answer() -> int:
    return 42


async def _fail() -> int:
    raise ValueError("broken")


async def test_what_is_over_at_once_is_shown_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHORTEST", 0.1)
    begun = time.monotonic()

    assert await progress.visibly(_answer()) == 42

    assert time.monotonic() - begun >= 0.09


async def test_an_error_is_raised_after_a_while_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SHORTEST", 0.1)
    begun = time.monotonic()

    with pytest.raises(ValueError, match="broken"):
        await progress.visibly(_fail())

    assert time.monotonic() - begun >= 0.09


async def test_who_cancels_it_cancels_the_work() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(progress.visibly(work()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
