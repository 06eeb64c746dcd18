"""A real web server that plays a device, and can misbehave."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
import json
import ssl
from types import TracebackType
from typing import Final, Self, override

from aiohttp import web

from custom_components.carbon_meter.metering.json.profile import AuthKind
from custom_components.carbon_meter.metering.json.web import Credentials

from ..faults import (
    BrokenFrame,
    Close,
    Fault,
    Garbage,
    LastingFault,
    Late,
    NotAvailable,
    Refuse,
    Silent,
)
from .authentication import Doorkeeper
from .device import WebDevice
from .forms import Unknown

LOOPBACK: Final = "127.0.0.1"

_NONSENSE: Final = "<html><body>Please log in</body></html>"


class WebPort(AbstractAsyncContextManager["WebPort"]):
    """The pages of a virtual device behind a TCP port; inside it the port is open.

    Of the virtual meters' faults it knows `Silent`, `Late`, `Close`, `Refuse` (`code` is the
    HTTP status), `BrokenFrame` (half a body), `Garbage` (another page altogether) and
    `NotAvailable` (null, or another form); `Reset`, `Jump` and `RollOver` go to the counters.
    """

    def __init__(
        self,
        device: WebDevice,
        *,
        credentials: Credentials | None = None,
        context: ssl.SSLContext | None = None,
        content_type: str = "application/json",
    ) -> None:
        """Take the device; with `credentials` its pages need them, with `context` they are TLS."""
        self.device = device
        self.requests: list[str] = []
        self.port = 0
        auth = device.profile.auth
        self._doorkeeper = None if credentials is None else Doorkeeper(auth, credentials)
        self._context = context
        self._content_type = content_type
        self._faults: dict[type[Fault], LastingFault] = {}
        self._over = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return where the device answers."""
        return f"{'https' if self._context else 'http'}://{LOOPBACK}:{self.port}"

    def apply(self, fault: Fault) -> None:
        """Let a fault happen, or hold from now on."""
        if isinstance(fault, NotAvailable):
            names = fault.quantities or self.device.profile.quantities
            for meter in self.device.meters:
                meter.forget(names, Unknown.NULL)
        elif isinstance(fault, LastingFault):
            self._faults[type(fault)] = fault
        else:
            for meter in self.device.meters:
                meter.apply(fault)

    def clear(self) -> None:
        """End all faults; counters stay as they were changed."""
        self._faults.clear()
        for meter in self.device.meters:
            meter.remember()

    @override
    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, 0, ssl_context=self._context).start()
        self.port = self._runner.addresses[0][1]
        return self

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Return what a request brings, faults and all."""
        self.requests.append(request.raw_path)
        if late := self._take(Late):
            await asyncio.sleep(late.seconds)
        if self._take(Silent):
            await self._over.wait()
        if self._take(Close) and request.transport is not None:
            request.transport.close()
        if refuse := self._take(Refuse):
            return web.Response(status=refuse.code)
        page = self.device.pages().get(_without_password(request, strip=self._is_asked_in_query))
        if refusal := self._refusal(request, page):
            return refusal
        if page is None:
            return web.json_response({"code": 404, "message": "no such page"}, status=404)
        body = _NONSENSE if self._take(Garbage) else json.dumps(page)
        if self._take(BrokenFrame):
            return await self._half(request, body)
        return web.Response(text=body, content_type=self._content_type)

    def _refusal(self, request: web.Request, page: object) -> web.Response | None:
        """Return what somebody gets who is not let in."""
        model, probe = self.device.model, self.device.profile.probe
        is_open = model.open_probe and probe is not None and request.raw_path == probe.path
        if self._doorkeeper is None or is_open:
            return None
        # Who wants a key of its own says so only where it counts.
        if page is None and self._doorkeeper.auth.kind not in (AuthKind.BASIC, AuthKind.DIGEST):
            return None
        return self._doorkeeper.refusal(request)

    @property
    def _is_asked_in_query(self) -> bool:
        return self._doorkeeper is not None and self._doorkeeper.auth.kind is AuthKind.QUERY

    async def _half(self, request: web.Request, body: str) -> web.StreamResponse:
        """Promise a whole body, send half of it and hang up."""
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2].encode())
        if request.transport is not None:
            request.transport.close()
        return response

    def _take[F: LastingFault](self, kind: type[F]) -> F | None:
        """Return a fault that holds, counting down the requests that it has left."""
        fault = self._faults.get(kind)
        if not isinstance(fault, kind):
            return None
        if fault.times == 1:
            del self._faults[kind]
        elif fault.times is not None:
            self._faults[kind] = replace(fault, times=fault.times - 1)
        return fault


def _without_password(request: web.Request, *, strip: bool) -> str:
    """Return path and query as the pages are known by."""
    path = request.raw_path
    return path.split("&user=")[0].split("?user=")[0] if strip else path
