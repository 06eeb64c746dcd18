"""A server that plays all providers, a time that only the test moves, and sources between them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.mix import GenerationFactors
from custom_components.carbon_meter.carbon.factors.technology import Technology
from custom_components.carbon_meter.carbon.intensity.live.catalogue import open_source
from custom_components.carbon_meter.carbon.intensity.live.live_source import LiveSource
from custom_components.carbon_meter.carbon.intensity.live.pace import Paces
from custom_components.carbon_meter.carbon.intensity.live.provider import Access
from custom_components.carbon_meter.carbon.intensity.live.surroundings import Surroundings
from tests.carbon.intensity.provider_server import KEY, PASSWORD, USER, ProviderServer, served

# 2026-09-21 20:00 UTC: the beginning of an hour, a Monday.
T = 1_790_020_800.0

FACTORS = GenerationFactors(
    id="test_factors",
    scope=Scope.LIFE_CYCLE,
    values={Technology.COAL: 800.0, Technology.WIND: 0.0, Technology.UNKNOWN: 700.0},
)

ZONES = {
    "neso": "GB",
    "neso_regional": "SW1A 1AA",
    "energy_charts": "DE",
    "energinet": "DK1",
    "electricity_maps": "FR",
    "watttime": "CAISO_NORTH",
    "entsoe": "10YNL----------L",
    "eco2mix": "FR",
    "eia": "CISO",
    "open_electricity": "NSW1",
    "fingrid": "FI",
    "ned": "NL",
}


@dataclass
class VirtualTime:
    """Seconds that pass only when somebody sleeps or the test says so."""

    wall: float = T
    steady: float = 1000.0

    def now(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session as it is handed in."""
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[ProviderServer]:
    async with served(ProviderServer(now=T)) as running:
        yield running


@pytest.fixture
def surroundings(session: aiohttp.ClientSession, time: VirtualTime) -> Surroundings:
    return Surroundings(
        session=session,
        clock=time.now,
        factors=FACTORS,
        paces=Paces(clock=time.monotonic, sleep=time.sleep),
        monotonic=time.monotonic,
        patience=5.0,
    )


type Opens = Callable[..., LiveSource]


@pytest.fixture
def opens(server: ProviderServer, surroundings: Surroundings) -> Opens:
    """Return what opens the source of a provider at the server."""

    def opened(provider: str, /, **changes: str) -> LiveSource:
        access = {"zone": ZONES[provider], "key": KEY, "username": USER, "password": PASSWORD}
        return open_source(provider, Access(**access | changes), surroundings, base_url=server.url)

    return opened
