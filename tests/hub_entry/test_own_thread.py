"""The thread of a hub: one after the other, always in the same one, and an end."""

import threading

import pytest

from custom_components.carbon_meter.community.ledger.database import LedgerError
from custom_components.carbon_meter.hub_entry.own_thread import OwnThread


async def test_all_is_done_in_one_thread_that_ends() -> None:
    thread = OwnThread()
    ran = {await thread.async_run(threading.current_thread) for _ in range(5)}
    assert len(ran) == 1
    assert threading.current_thread() not in ran
    await thread.async_close()
    assert not any(one.is_alive() for one in ran)
    with pytest.raises(LedgerError, match="closed"):
        await thread.async_run(threading.current_thread)


async def test_what_work_raises_is_raised_as_it_is() -> None:
    thread = OwnThread()

    def fail() -> None:
        raise RuntimeError("as it is")

    with pytest.raises(RuntimeError, match="as it is"):
        await thread.async_run(fail)
    await thread.async_close()
