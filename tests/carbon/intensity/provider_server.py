"""A web server that plays every provider in its documented shape, and everything that goes wrong.

What it tells is a function of time, so that a test knows each value: see `level`.
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
import json
from typing import Any

from aiohttp import web

KEY, USER, PASSWORD = "key-3f9a", "somebody", "pass-77"
BASIC = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()

type Trouble = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


def level(moment: float) -> int:
    """Return the figure that is told of the five minutes at a moment: 50 to 449."""
    return 50 + int(moment // 300) % 400


def iso(moment: float, form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return datetime.fromtimestamp(moment, UTC).strftime(form)


def moment_of(text: str) -> float:
    """Return the moment of a text, UTC where it has no offset."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def steps(start: float, end: float, step: int) -> list[int]:
    """Return where the intervals begin that lie in [start, end)."""
    first = int(start // step) * step
    return list(range(first if first >= start else first + step, int(-(-end // 1)), step))


@dataclass
class ProviderServer:
    """All providers behind one port; `now` is their time."""

    now: float
    skew: float = 0.0
    """Seconds by which the server's clock is ahead."""

    delay: float = 0.0
    """Seconds for which nothing is measured yet."""

    trouble: Trouble | None = None
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    values: dict[float, Any] = field(default_factory=dict)
    """What is told of the interval that begins at a moment, instead of the level."""

    port: int = 0
    hang: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def told(self, moment: float) -> Any:
        return self.values.get(moment, level(moment))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the provider does whose path this is."""
        self.requests.append(request.raw_path)
        self.headers.append(dict(request.headers))
        response = await self.trouble(request) if self.trouble else None
        if response is None:
            response = self._usual(request)
        if not response.prepared:
            response.headers.setdefault("Date", formatdate(self.now + self.skew, usegmt=True))
        return response

    def _usual(self, request: web.Request) -> web.Response:
        path = request.path
        for prefix, serve in (
            ("/intensity/", self._neso),
            ("/regional/", self._neso_regional),
            ("/co2eq", self._energy_charts),
            ("/dataset/", self._energinet),
            ("/carbon-intensity/", self._electricity_maps),
            ("/login", self._watttime_login),
            ("/v3/", self._watttime),
            ("/api", self._entsoe),
            ("/eco2mix-national", self._eco2mix),
            ("/v2/electricity/", self._eia),
            ("/data/network/", self._open_electricity),
            ("/datasets/265/", self._fingrid),
            ("/utilizations", self._ned),
        ):
            if path.startswith(prefix):
                return serve(request)
        return web.Response(status=404, text="nothing here")

    def _measured(self, moment: float, step: float) -> bool:
        return moment + step <= self.now - self.delay

    def _half_hours(self, first: str, last: str) -> list[dict[str, Any]]:
        start = moment_of(first) // 1800 * 1800
        end = start + 48 * 3600 if last == "fw48h" else moment_of(last)
        # The one that ends where the question begins is answered too.
        return [
            {
                "from": iso(begin, "%Y-%m-%dT%H:%MZ"),
                "to": iso(begin + 1800, "%Y-%m-%dT%H:%MZ"),
                "intensity": {"forecast": level(begin) + 10, "index": "low"},
            }
            for begin in steps(start - 1800, end, 1800)
        ]

    def _neso(self, request: web.Request) -> web.Response:
        _, _, first, last = request.path.split("/")
        rows = self._half_hours(first, last)
        for row in rows:
            begin = moment_of(row["from"])
            row["intensity"]["actual"] = self.told(begin) if self._measured(begin, 1800) else None
        return web.json_response({"data": rows})

    def _neso_regional(self, request: web.Request) -> web.Response:
        _, _, _, first, last, kind, place = request.path.split("/")
        if (kind, place) not in {("postcode", "SW1A"), ("regionid", "13")}:
            return web.json_response(None)
        rows = self._half_hours(first, last)
        for row in rows:
            row["generationmix"] = [{"fuel": "wind", "perc": 100}]
        region = {"regionid": 13, "dnoregion": "UKPN London", "shortname": "London", "data": rows}
        return web.json_response({"data": region})

    def _energy_charts(self, request: web.Request) -> web.Response:
        if request.query["country"] != "de":
            return web.json_response({"detail": "unknown country"}, status=404)
        starts = steps(moment_of(request.query["start"]), moment_of(request.query["end"]), 900)
        starts = [begin for begin in starts if begin < self.now + 86400]
        measured = [self._measured(begin, 900) for begin in starts]
        return web.json_response(
            {
                "unix_seconds": starts,
                "co2eq": [
                    self.told(begin) if known else None
                    for begin, known in zip(starts, measured, strict=True)
                ],
                "co2eq_forecast": [level(begin) + 10 for begin in starts],
                "deprecated": False,
            }
        )

    def _energinet(self, request: web.Request) -> web.Response:
        assert request.query["limit"] == "0"
        areas = json.loads(request.query["filter"])["PriceArea"]
        progress = request.path.endswith("CO2EmisProg")
        start, end = moment_of(request.query["start"]), moment_of(request.query["end"])
        end = min(end, self.now + 9 * 3600)
        records = [
            {
                "Minutes5UTC": iso(begin, "%Y-%m-%dT%H:%M:%S"),
                "PriceArea": area,
                "CO2Emission": level(begin) + 10 if progress else self.told(begin),
            }
            for begin in steps(start, end, 300)
            for area in areas
            if progress or self._measured(begin, 300)
        ]
        return web.json_response({"total": len(records), "dataset": "CO2", "records": records})

    def _electricity_maps(self, request: web.Request) -> web.Response:
        if request.headers.get("auth-token") != KEY:
            return web.json_response({"error": "Invalid auth-token"}, status=401)
        what = request.path.rpartition("/")[2]
        hour = self.now // 3600 * 3600
        start, end = {
            "history": (hour - 23 * 3600, hour + 3600),
            "latest": (hour, hour + 3600),
            "forecast": (hour, hour + 73 * 3600),
            "past-range": (self.now, self.now),
        }[what]
        if what == "past-range":
            start, end = moment_of(request.query["start"]), moment_of(request.query["end"])
        rows = [
            {
                "zone": request.query["zone"],
                "carbonIntensity": level(begin) + 10 if what == "forecast" else self.told(begin),
                "datetime": iso(begin, "%Y-%m-%dT%H:%M:%S.000Z"),
                "updatedAt": iso(self.now),
                "emissionFactorType": "lifecycle",
                "isEstimated": begin >= hour - 3600,
                "estimationMethod": "TIME_SLICER_AVERAGE" if begin >= hour - 3600 else None,
            }
            for begin in steps(start, end, 3600)
        ]
        if what == "latest":
            return web.json_response(rows[0])
        name = {"history": "history", "forecast": "forecast", "past-range": "data"}[what]
        return web.json_response({"zone": request.query["zone"], name: rows})

    def _watttime_login(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != BASIC:
            return web.Response(status=401, text="<html>401 Authorization Required</html>")
        return web.json_response({"token": f"token-{len(self.requests)}"})

    def _watttime(self, request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").startswith("Bearer token-"):
            return web.json_response({"error": "invalid token"}, status=401)
        if request.path.endswith("region-from-loc"):
            return web.json_response({"region": "CAISO_NORTH", "signal_type": "co2_moer"})
        if request.query["region"] != "CAISO_NORTH":
            return web.json_response({"error": "INVALID_SCOPE"}, status=403)
        if request.path.endswith("forecast"):
            start, end, plus = self.now, self.now + 72 * 3600, 10
        else:
            start, plus = moment_of(request.query["start"]), 0
            end = min(moment_of(request.query["end"]), self.now - self.delay - 300)
        return web.json_response(
            {
                "meta": {
                    "region": "CAISO_NORTH",
                    "signal_type": "co2_moer",
                    "units": "lbs_co2_per_mwh",
                    "generated_at": iso(self.now),
                    "model": {"date": "2026-03-01"},
                },
                "data": [
                    {
                        "point_time": iso(begin, "%Y-%m-%dT%H:%M:%S+00:00"),
                        "value": level(begin) + plus if plus else self.told(begin),
                    }
                    for begin in steps(start, end, 300)
                ],
            }
        )

    def _entsoe(self, request: web.Request) -> web.Response:
        query = request.query
        if query["securityToken"] != KEY:
            return web.Response(status=401, text="<html>Unauthorized</html>")
        assert (query["documentType"], query["processType"]) == ("A75", "A16")
        start, end = (
            datetime.strptime(query[name], "%Y%m%d%H%M").replace(tzinfo=UTC).timestamp()
            for name in ("periodStart", "periodEnd")
        )
        end = min(end, (self.now - self.delay) // 900 * 900)
        if start >= end:
            return web.Response(text=acknowledgement("999", "No matching data found"))
        starts = steps(start, end, 900)
        series = [
            series_xml("B05", start, end, "PT15M", [self.told(begin) for begin in starts]),
            series_xml("B19", start, end, "PT15M", [1000 - level(begin) for begin in starts]),
            series_xml("B10", start, end, "PT15M", [5000 for _ in starts]),
            series_xml("B10", start, end, "PT15M", [700 for _ in starts], consumption=True),
        ]
        return web.Response(text=market_document(series), content_type="text/xml")

    def _eco2mix(self, request: web.Request) -> web.Response:
        texts = request.query["where"].split("'")
        start, end = moment_of(texts[1]), moment_of(texts[3])
        real_time = request.path.startswith("/eco2mix-national-tr")
        oldest = self.now - 30 * 86400
        step = 900 if real_time else 1800
        starts = [
            begin
            for begin in steps(start, end, step)
            if self._measured(begin, step) and (begin >= oldest) is real_time
        ]
        offset, limit = int(request.query["offset"]), int(request.query["limit"])
        assert limit <= 100
        nature = "Données temps réel" if real_time else "Données définitives"
        results = [
            {
                "date_heure": iso(begin, "%Y-%m-%dT%H:%M:%S+00:00"),
                "taux_co2": self.told(begin),
                "nature": nature,
            }
            for begin in starts[offset : offset + limit]
        ]
        return web.json_response({"total_count": len(starts), "results": results})

    def _eia(self, request: web.Request) -> web.Response:
        if request.headers.get("X-Api-Key") != KEY:
            error = {"code": "API_KEY_INVALID", "message": "An invalid api_key was supplied."}
            return web.json_response({"error": error}, status=403)
        query = request.query
        start, end = moment_of(query["start"] + ":00"), moment_of(query["end"] + ":00")
        rows = []
        if query["facets[respondent][]"] == "CISO":
            for period in range(int(start), int(min(end, self.now - self.delay)) + 1, 3600):
                coal = self.told(period - 3600)
                for fuel, value in (
                    ("COL", coal),
                    ("WND", None if coal is None else 1000 - level(period - 3600)),
                    ("BAT", -250),
                ):
                    rows.append(
                        {
                            "period": iso(period, "%Y-%m-%dT%H"),
                            "respondent": "CISO",
                            "fueltype": fuel,
                            "value": None if value is None else str(value),
                            "value-units": "megawatthours",
                        }
                    )
        offset, length = int(query["offset"]), min(int(query["length"]), 5000)
        data = rows[offset : offset + length]
        return web.json_response({"response": {"total": str(len(rows)), "data": data}})

    def _open_electricity(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.json_response({"detail": "Not authenticated"}, status=403)
        query = request.query
        step = {"5m": 300, "1h": 3600}[query["interval"]]
        # Local time of the network, 10 hours ahead.
        start, end = (moment_of(query[name]) - 36000 for name in ("date_start", "date_end"))
        starts = [begin for begin in steps(start, end, step) if self._measured(begin, step)]
        region = query["network_region"]

        def results(amounts: dict[str, Callable[[int], Any]]) -> list[dict[str, Any]]:
            return [
                {
                    "name": f"x_{fuel}",
                    "columns": {"region": region, "fueltech": fuel},
                    "data": [
                        [iso(begin + 36000, "%Y-%m-%dT%H:%M:%S+10:00"), amount(begin)]
                        for begin in starts
                    ],
                }
                for fuel, amount in amounts.items()
            ]

        def series(metric: str, unit: str, found: list[dict[str, Any]]) -> dict[str, Any]:
            return {"network_code": "NEM", "metric": metric, "unit": unit, "results": found}

        energy = results(
            {
                "coal_black": level,
                "wind": lambda begin: 1000 - level(begin),
                "battery_discharging": lambda _: 400,
                "pumps": lambda _: -100,
            }
        )
        emissions = results({"coal_black": lambda b: _scaled(self.told(b), 0.8)})
        data = [series("energy", "MWh", energy), series("emissions", "t", emissions)]
        return web.json_response({"version": "4.0", "success": True, "data": data})

    def _fingrid(self, request: web.Request) -> web.Response:
        if request.headers.get("x-api-key") != KEY:
            return web.json_response({"message": "Invalid API key"}, status=401)
        start, end = moment_of(request.query["startTime"]), moment_of(request.query["endTime"])
        form = "%Y-%m-%dT%H:%M:%S.000Z"
        data = [
            {
                "datasetId": 265,
                "startTime": iso(begin, form),
                "endTime": iso(begin + 180, form),
                "value": self.told(begin),
            }
            for begin in steps(start, end, 180)
            if self._measured(begin, 180)
        ]
        # Newest first, as it comes without asking for another order.
        return web.json_response({"data": data[::-1], "pagination": {"total": len(data)}})

    def _ned(self, request: web.Request) -> web.Response:
        if request.headers.get("X-AUTH-TOKEN") != KEY:
            return web.json_response({"title": "Forbidden"}, status=403)
        query = request.query
        if "T" in query["validfrom[after]"]:
            return web.json_response({"title": "Forbidden"}, status=403)
        start, end = (
            moment_of(query[f"validfrom[{name}]"]) for name in ("after", "strictly_before")
        )
        step = {"4": 900, "5": 3600}[query["granularity"]]
        forecast = query["classification"] == "1"
        members = [
            {
                "id": begin,
                "validfrom": iso(begin, "%Y-%m-%dT%H:%M:%S+00:00"),
                "validto": iso(begin + step, "%Y-%m-%dT%H:%M:%S+00:00"),
                "emissionfactor": (level(begin) + 10) / 1000
                if forecast
                else _scaled(self.told(begin), 0.001),
            }
            for begin in steps(start, end, step)
            if forecast or self._measured(begin, step)
        ]
        return web.json_response({"hydra:member": members[: int(query["itemsPerPage"])]})

    async def silence(self, request: web.Request) -> web.StreamResponse:
        """Say nothing while the test lasts."""
        await self.hang.wait()
        return web.Response()

    async def half(self, request: web.Request) -> web.StreamResponse:
        """Announce an answer, and give up in the middle of it."""
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"data": [{"from"')
        assert request.transport is not None
        request.transport.close()
        return response

    async def hang_up(self, request: web.Request) -> web.StreamResponse:
        """Close the connection instead of answering."""
        assert request.transport is not None
        request.transport.close()
        return web.Response()


def _scaled(value: Any, factor: float) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value * factor if number else value


def saying(status: int = 200, text: str = "", **headers: str) -> Trouble:
    """Return the trouble of answering everything the same."""

    async def answer(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return answer


def series_xml(
    fuel: str,
    start: float,
    end: float,
    resolution: str,
    quantities: list[Any],
    *,
    curve: str = "A01",
    consumption: bool = False,
) -> str:
    """Return a series of a market document; a quantity that is None is left out."""
    form = "%Y-%m-%dT%H:%MZ"
    points = "".join(
        f"<Point><position>{position}</position><quantity>{quantity}</quantity></Point>"
        for position, quantity in enumerate(quantities, start=1)
        if quantity is not None
    )
    domain = "outBiddingZone_Domain.mRID" if consumption else "inBiddingZone_Domain.mRID"
    return (
        f"<TimeSeries><mRID>1</mRID><businessType>A01</businessType>"
        f'<{domain} codingScheme="A01">10YNL----------L</{domain}>'
        f"<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><curveType>{curve}</curveType>"
        f"<MktPSRType><psrType>{fuel}</psrType></MktPSRType>"
        f"<Period><timeInterval><start>{iso(start, form)}</start><end>{iso(end, form)}</end>"
        f"</timeInterval><resolution>{resolution}</resolution>{points}</Period></TimeSeries>"
    )


def market_document(series: list[str]) -> str:
    """Return a document with generation by type."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><GL_MarketDocument '
        'xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">'
        f"<type>A75</type>{''.join(series)}</GL_MarketDocument>"
    )


def acknowledgement(code: str, text: str) -> str:
    """Return what is said instead of data."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Acknowledgement_MarketDocument '
        'xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<Reason><code>{code}</code><text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    )


@asynccontextmanager
async def served(server: ProviderServer) -> AsyncIterator[ProviderServer]:
    """Serve on a port of the loopback until the block ends."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        server.hang.set()
        await runner.cleanup()
