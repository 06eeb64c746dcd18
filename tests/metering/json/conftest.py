"""Real HTTP servers on the loopback for the tests of JSON meters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import ssl

import aiohttp
from aiohttp import web
import pytest

from custom_components.carbon_meter.metering.json.profile import JsonProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles
from tests.metering.json.certificate import self_signed

NOW = 1_800_000_000.0


@dataclass
class Device:
    """A web server that plays a device."""

    pages: dict[str, str | web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]]]
    """By path and query: a body, a response, or what answers."""

    requests: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    content_type: str = "application/json"
    port: int = 0
    scheme: str = "http"
    hang: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at the end of the test, so that nobody waits for a silent page."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Return what stands on a page."""
        self.requests.append(request.raw_path)
        self.headers.append(dict(request.headers))
        page = self.pages.get(request.raw_path)
        if page is None:
            return web.Response(status=404, text="nothing here")
        if isinstance(page, str):
            return web.Response(body=page.encode(), content_type=self.content_type)
        if isinstance(page, web.Response):
            return web.Response(status=page.status, body=page.body, headers=page.headers.copy())
        return await page(request)

    async def silent(self, request: web.Request) -> web.StreamResponse:
        """Say nothing while the test lasts."""
        await self.hang.wait()
        return web.Response()


type ServeDevice = Callable[..., Awaitable[Device]]


@asynccontextmanager
async def _served(device: Device, context: ssl.SSLContext | None) -> AsyncIterator[Device]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", device.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    device.port = runner.addresses[0][1]
    device.scheme = "https" if context else "http"
    try:
        yield device
    finally:
        device.hang.set()
        await runner.cleanup()


@pytest.fixture
async def device(socket_enabled: None) -> AsyncIterator[ServeDevice]:
    """Return what serves pages."""
    async with AsyncExitStack() as stack:

        async def start(
            pages: Mapping[str, object], *, context: ssl.SSLContext | None = None
        ) -> Device:
            return await stack.enter_async_context(_served(Device(pages=dict(pages)), context))

        yield start


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session as it is handed in."""
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Return what a device has that made its certificate itself."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def profiles() -> dict[str, JsonProfile]:
    """Return the packaged profiles."""
    return load_profiles().of(JsonProfile)
