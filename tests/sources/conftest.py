"""Providers that answer on a real port, at a time that only the test moves."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
import time
from typing import Any

from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.carbon_meter.carbon.intensity.live.catalogue import PROVIDERS
from custom_components.carbon_meter.carbon.intensity.live.pace import Paces
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.intensity import SiteIntensity
from custom_components.carbon_meter.sources.opening import DATA_BASE_URLS, DATA_PACES
from tests.carbon.intensity.provider_server import ProviderServer, served
from tests.common import SiteUnderTest

MORNING = datetime(2026, 9, 21, 8, tzinfo=UTC)
"""A Monday."""

NESO = {"kind": "live", "provider": "neso", "zone": "GB"}
MAPS = {"kind": "live", "provider": "electricity_maps", "zone": "FR", "key": "key-3f9a"}


class Grid:
    """A site whose sources are asked at a server here."""

    def __init__(self, site: SiteUnderTest, server: ProviderServer) -> None:
        self.site = site
        self.hass = site.hass
        self.server = server

    midnight = datetime(2026, 9, 21, tzinfo=UTC)

    @property
    def intensity(self) -> SiteIntensity:
        return self.site.entry.runtime_data.intensity

    async def open(self, *sources: dict[str, Any], **options: Any) -> None:
        """Set a site up without any meter."""
        await self.site.open((), options={"zone": "GB", "sources": list(sources), **options})

    async def advance(self, seconds: float, step: float = 60.0) -> None:
        """Let time pass, at the server too."""
        left = seconds
        while left > 0:
            part = min(step, left)
            left -= part
            self.server.now += part
            await self.site.advance(part, step=part)

    async def restart(self, seconds: float = 0.0) -> None:
        """Take the site down and set it up again some time later."""
        await self.site.unload()
        self.site.pass_unseen(seconds)
        self.server.now += seconds
        await self.site.load()

    @property
    def now(self) -> float:
        return self.site.clock.now()

    def issues(self) -> dict[str, dict[str, str]]:
        """Return the placeholders of what the user is told, by translation key."""
        found = ir.async_get(self.hass).issues
        return {
            issue.translation_key: issue.translation_placeholders
            for (domain, _), issue in found.items()
            if domain == DOMAIN
        }

    def reauths(self) -> list[Any]:
        """Return the flows that ask for another key."""
        flows = self.hass.config_entries.flow.async_progress_by_handler(
            DOMAIN, include_uninitialized=True
        )
        return [flow for flow in flows if flow["context"]["source"] == "reauth"]


async def no_wait(seconds: float) -> None:
    """Let a turn come at once: time stands still while it is waited for."""


@pytest.fixture
async def grid(site: SiteUnderTest) -> AsyncIterator[Grid]:
    site.start_at(MORNING)
    async with served(ProviderServer(now=MORNING.timestamp())) as server:
        site.hass.data[DATA_PACES] = Paces(clock=time.monotonic, sleep=no_wait)
        site.hass.data[DATA_BASE_URLS] = dict.fromkeys(PROVIDERS, server.url)
        yield Grid(site, server)
        await site.close()
