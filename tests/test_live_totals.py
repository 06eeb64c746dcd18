"""Live sums: they show what is lived through, at every moment and whatever is done to the past."""

import asyncio
from datetime import timedelta

import pytest

from tests.common import SiteUnderTest
from tests.test_backfill import (
    FIXED,
    quiet,  # noqa: F401
    recorder_first,  # noqa: F401
)
from tests.test_restatement import HOURS, START, act, past


async def test_restating_the_past_is_seen_at_no_moment(site: SiteUnderTest) -> None:
    await past(site, FIXED)
    keeper = site.entry.runtime_data.keeper
    meter_id = site.meter().subentry.subentry_id
    shown = keeper.carbon_of(meter_id)
    restating = asyncio.create_task(
        act(
            site,
            "restate",
            start=START.isoformat(),
            end=(START + timedelta(hours=HOURS)).isoformat(),
            intensity=900.0,
            reason="Everything anew",
        )
    )
    seen = set()
    while not restating.done():
        seen.add(round(keeper.carbon_of(meter_id), 6))
        await asyncio.sleep(0)
    assert (await restating)["hours_changed"] == HOURS
    assert sorted(seen) == pytest.approx([shown] * len(seen), abs=1e-6)
