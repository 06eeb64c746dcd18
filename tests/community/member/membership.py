"""Members for the tests: joined, and at work while a block runs."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from custom_components.carbon_meter.community.member import state as kept
from custom_components.carbon_meter.community.member.enrol import join
from custom_components.carbon_meter.community.member.link import MemberLink
from custom_components.carbon_meter.community.member.schedule import Pace

from .house import MAKER, QUICK, House, agreed
from .hub import Hub

DAY = 86400


@asynccontextmanager
async def linked(
    folder: Path, house: House, pace: Pace = QUICK, **changes: Any
) -> AsyncGenerator[MemberLink]:
    """Have a membership work while the block runs."""
    link = await MemberLink.open(
        folder, house.hours, MAKER, clock=house.clock, now=house.now, pace=pace, **changes
    )
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await link.close()


async def joined(hub: Hub, folder: Path, house: House, *, days: int = 3, **changes: Any) -> int:
    """Join, as if it had been some days ago; return the first midnight of the membership."""
    invitation = await hub.invite()
    await join(invitation, folder, agreed(**changes), now=house.now)
    return backdate(folder, house, days)


def backdate(folder: Path, house: House, days: int) -> int:
    """Have a membership begin some days ago, at midnight of UTC."""
    begins = int(house.now()) // DAY * DAY - days * DAY
    state = kept.load(folder)
    identity = replace(state.identities[0], begins=begins)
    since = replace(state.agreements[0], start=begins)
    kept.save(folder, replace(state, identities=(identity,), agreements=(since,)))
    return begins
