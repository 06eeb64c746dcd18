"""What tests of memberships share."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
import time
from typing import override

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.community.member import mqtt
from custom_components.carbon_meter.community.member.schedule import Pace
from custom_components.carbon_meter.membership.membership import DATA_PACE
from tests.common import SiteUnderTest
from tests.membership.hub import NO_PINGS, HubUnderTest

AT_ONCE = Pace(rate=1000.0, spread=0, first=0.0, backoff=0.05, longest=0.2)


class MemberSite(SiteUnderTest):
    """A site that has tasks which never end: nobody waits for them."""

    def now(self) -> float:
        """Return the present, whatever clock the site has by now."""
        return self.clock.now()

    @override
    async def settle(self) -> None:
        """Wait until everything that comes to an end is done."""
        while True:
            await self.hass.async_block_till_done()
            ending = [
                task
                for task in self.hass._background_tasks
                if not (
                    isinstance(task, asyncio.Task)
                    and task.get_name().startswith(("membership ", "leave ", "mqtt"))
                )
            ]
            if not ending:
                break
            await asyncio.wait(ending)
        # Brokers and the hub answer in real time: they get a moment of it before the next leap.
        await self.hass.async_add_executor_job(time.sleep, 0.03)
        await self.hass.async_block_till_done()


@pytest.fixture
async def site(
    hass: HomeAssistant,
    enable_custom_integrations: None,
    socket_enabled: None,
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncGenerator[MemberSite]:
    """Return a site without meters, in a time that only the test moves."""
    monkeypatch.setattr(mqtt, "_KEEPALIVE", NO_PINGS)
    # The last noon: certificates are looked at by the computer's own clock.
    noon = (dt_util.utcnow() - timedelta(hours=12)).replace(
        hour=12, minute=0, second=0, microsecond=0
    )
    under_test = MemberSite(hass, freezer)
    under_test.start_at(noon)
    yield under_test
    await under_test.close()


@pytest.fixture
async def hub(tmp_path: Path, site: MemberSite) -> AsyncGenerator[HubUnderTest]:
    """Return a community that asks for everything by the hour, under pseudonyms."""
    with HubUnderTest(tmp_path / "hub", site.now) as running:
        yield running
        await site.close()


@pytest.fixture
def at_once(hass: HomeAssistant) -> None:
    """Let memberships speak as soon as they have something to say."""
    hass.data[DATA_PACE] = AT_ONCE
