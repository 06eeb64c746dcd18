"""The control server: lets a test in another process drive a virtual home over HTTP.

GET  /state[?at=SECONDS]   the clock, and of each meter what is true and what it shows
POST /fault                {"meter": ..., "fault": ..., and what the fault needs}
POST /clear                {"meter": ..., "fault": ...}, both may be left out
POST /clock                one of {"speed": ...}, {"step": SECONDS}, {"freeze": true or false}
POST /load                 {"node": ..., "watts": a number, three numbers or null}
POST /port                 {"open": true or false}

Every answer is JSON; what cannot be done is 400 with {"error": ...}.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
import json
from typing import Any, Self

from aiohttp import web

from .clock import VirtualClock
from .faults import fault_from
from .home import VirtualHome
from .meter import VirtualMeter
from .server import LOOPBACK

type Body = Mapping[str, Any]


class ControlServer:
    """Serves homes that run by one clock, by their names; one may have the empty name."""

    def __init__(
        self,
        homes: Mapping[str, VirtualHome],
        clock: VirtualClock,
        *,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Take the homes; port 0 is any free one."""
        self._homes = homes
        self._clock = clock
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return the address of the server."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Open the server."""
        application = web.Application()
        application.router.add_get("/state", self._state)
        for path, action in (
            ("/fault", self._fault),
            ("/clear", self._clear),
            ("/clock", self._set_clock),
            ("/load", self._load),
            ("/port", self._set_port),
        ):
            application.router.add_post(path, _handler(action))
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the server."""
        if self._runner is not None:
            await self._runner.cleanup()

    def state(self, at: float | None = None) -> dict[str, Any]:
        """Return what `GET /state` answers; all of it is of one moment."""
        now = self._clock.now()
        moment = now if at is None else at
        return {
            "time": now,
            "utc": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            "at": moment,
            "speed": self._clock.speed,
            "frozen": self._clock.frozen,
            "meters": {
                name: _meter_state(home, meter, moment)
                for name, (home, meter) in self._meters().items()
            },
        }

    async def _state(self, request: web.Request) -> web.Response:
        """Answer with the state, now or at a past moment."""
        at: float | None = None
        if (asked := request.query.get("at")) is not None:
            try:
                at = float(asked)
            except ValueError:
                return _error(f"at={asked} is not a time in seconds")
            # Beyond the present a later fault or load could still change it.
            if not 0 <= at <= self._clock.now():
                return _error(f"at={asked} is not in the past")
        return web.json_response(self.state(at))

    async def _fault(self, body: Body) -> Body:
        """Let a meter misbehave."""
        parameters = {key: body[key] for key in body if key not in ("meter", "fault")}
        fault = fault_from(body.get("fault"), parameters)
        self._meter(body.get("meter"))[1].apply(fault)
        return {"time": self._clock.now()}

    async def _clear(self, body: Body) -> Body:
        """End faults."""
        name = body.get("meter")
        meters = self._meters().values() if name is None else [self._meter(name)]
        for _, meter in meters:
            meter.clear(body.get("fault"))
        return {"time": self._clock.now()}

    async def _set_clock(self, body: Body) -> Body:
        """Change the course of time."""
        match dict(body):
            case {"speed": int() | float() as speed}:
                self._clock.run(speed)
            case {"step": int() | float() as seconds}:
                self._clock.step(seconds)
            case {"freeze": True}:
                self._clock.freeze()
            case {"freeze": False}:
                self._clock.run()
            case _:
                raise ValueError("give one of speed (number), step (seconds) or freeze (boolean)")
        return {
            "time": self._clock.now(),
            "speed": self._clock.speed,
            "frozen": self._clock.frozen,
        }

    async def _load(self, body: Body) -> Body:
        """Force or free a node, in every home that has it or in one."""
        match dict(body):
            case {"node": str() as node, "watts": int() | float() | None as watts}:
                force: Any = watts
            case {"node": str() as node, "watts": [_, _, _] as watts}:
                force = [_number(watt) for watt in watts]
            case _:
                raise ValueError("give node, and watts: a number, three numbers or null")
        homes = self._homes.values() if "home" not in body else [self._home(body["home"])]
        for home in homes:
            home.force(node, force)
        return {"time": self._clock.now()}

    async def _set_port(self, body: Body) -> Body:
        """Close the Modbus ports, so that connections are refused, or open them again."""
        match body.get("open"):
            case True:
                for home in self._homes.values():
                    await home.modbus.open()
            case False:
                for home in self._homes.values():
                    await home.modbus.close()
            case _:
                raise ValueError("give open: true or false")
        return {"time": self._clock.now()}

    def _meters(self) -> dict[str, tuple[VirtualHome, VirtualMeter]]:
        return {
            f"{name}/{key}" if name else key: (home, meter)
            for name, home in self._homes.items()
            for key, meter in home.meters.items()
        }

    def _meter(self, name: object) -> tuple[VirtualHome, VirtualMeter]:
        meters = self._meters()
        if not isinstance(name, str) or name not in meters:
            raise ValueError(f"there is no meter {name!r}; there are {', '.join(meters)}")
        return meters[name]

    def _home(self, name: object) -> VirtualHome:
        if not isinstance(name, str) or name not in self._homes:
            raise ValueError(f"there is no home {name!r}")
        return self._homes[name]


def _meter_state(home: VirtualHome, meter: VirtualMeter, at: float) -> dict[str, Any]:
    """Return all about one meter."""
    return {
        "host": home.modbus.host,
        "port": home.port,
        "unit": meter.unit,
        "open": home.modbus.listening,
        "profile": meter.profile.id,
        "node": meter.spec.node,
        "manufacturer": meter.identity.manufacturer,
        "model": meter.identity.model,
        "serial": meter.identity.serial,
        "requests": meter.requests,
        "faults": [{"fault": fault.name, **asdict(fault)} for fault in meter.faults],
        "true": meter.true_values(at),
        "shown": meter.shown_values(at),
    }


def _handler(
    action: Callable[[Body], Awaitable[Body]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return what takes a request apart and puts an answer together."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.text() or "{}")
        except ValueError:
            return _error("the request is not JSON")
        if not isinstance(body, dict):
            return _error("the request is not a JSON object")
        try:
            return web.json_response(await action(body))
        except (ValueError, OSError) as err:
            return _error(str(err))

    return handle


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")  # noqa: TRY004  # of a request, not of a call
    return float(value)


def _error(message: str) -> web.Response:
    return web.json_response({"error": message}, status=400)
