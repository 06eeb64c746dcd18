"""What is peculiar to single providers."""

from dataclasses import replace
from datetime import UTC, datetime
import json

from aiohttp import web
import pytest

from custom_components.carbon_meter.carbon.factors.factor import Scope
from custom_components.carbon_meter.carbon.factors.library import load_library
from custom_components.carbon_meter.carbon.factors.mix import (
    DIRECT,
    LIFE_CYCLE,
    generation_factors,
)
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.live.catalogue import open_source
from custom_components.carbon_meter.carbon.intensity.live.errors import (
    ProviderAuthError,
    ProviderChangedError,
    ProviderPlanError,
    ProviderTemporaryError,
    ProviderZoneError,
)
from custom_components.carbon_meter.carbon.intensity.live.provider import Access
from custom_components.carbon_meter.carbon.intensity.live.watttime import WattTimeSource
from tests.carbon.intensity.live.conftest import Opens, T, VirtualTime
from tests.carbon.intensity.provider_server import KEY, ProviderServer, level, saying

HOUR, DAY = 3600.0, 86400.0


class TestNeso:
    """Great Britain."""

    @pytest.mark.parametrize(
        ("zone", "place"),
        [
            ("SW1A 1AA", "postcode/SW1A"),
            ("sw1a1aa", "postcode/SW1A"),
            ("SW1A", "postcode/SW1A"),
            ("13", "regionid/13"),
        ],
    )
    async def test_a_full_postcode_is_asked_by_its_outward_half(
        self, zone, place, opens: Opens, server: ProviderServer
    ) -> None:
        source = opens("neso_regional", zone=zone)
        await source.refresh()

        assert all(request.endswith(place) for request in server.requests)
        assert source.intervals(T, T + 1800)[0].value == level(T) + 10

    async def test_an_unknown_postcode_is_answered_with_null(self, opens: Opens) -> None:
        with pytest.raises(ProviderZoneError, match="does not know ZZ9"):
            await opens("neso_regional", zone="ZZ9").refresh()

    async def test_a_region_that_comes_in_a_list(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        row = {"from": "2026-09-21T19:30Z", "to": "2026-09-21T20:00Z"}
        row |= {"intensity": {"forecast": 17, "index": "low"}}
        server.trouble = saying(200, json.dumps({"data": [{"regionid": 13, "data": [row]}]}))
        source = opens("neso_regional")
        await source.refresh()
        assert source.intervals(T - 1800, T)[0].value == 17

    async def test_history_begins_with_the_first_day(self, opens: Opens) -> None:
        first = datetime(2018, 5, 11, tzinfo=UTC).timestamp()
        async for piece in opens("neso").history(0.0, first + DAY):
            assert piece.start == first
        assert [piece async for piece in opens("neso").history(0.0, first)] == []

    async def test_the_forecast_made_earlier_bridges_an_outage(
        self, opens: Opens, server: ProviderServer, time: VirtualTime
    ) -> None:
        source = opens("neso")
        await source.refresh()
        server.trouble = saying(500)
        time.advance(30 * HOUR)
        with pytest.raises(ProviderTemporaryError):
            await source.refresh()

        (interval,) = source.intervals(T + 30 * HOUR, T + 30.5 * HOUR)
        assert interval.grade is Grade.FORECAST
        assert interval.value == level(T + 30 * HOUR) + 10


class TestEnergyCharts:
    """Europe."""

    def answer(self, **changes: object) -> str:
        columns = {
            "unix_seconds": [T - 2700, T - 1800, T - 900, T],
            "co2eq": [491.5, None, 0, None],
            "co2eq_forecast": [None, 505.0, None, 508.0],
            "deprecated": False,
        }
        return json.dumps(columns | changes)

    async def test_measured_forecast_and_holes(self, opens: Opens, server: ProviderServer) -> None:
        server.trouble = saying(200, self.answer())
        source = opens("energy_charts")
        await source.refresh()

        assert [
            (each.start - T, each.value, each.grade) for each in source.intervals(0, T + 900)
        ] == [
            (-2700, 491.5, Grade.MEASURED),
            (-1800, 505.0, Grade.FORECAST),
            (-900, 0.0, Grade.MEASURED),
            (0, 508.0, Grade.FORECAST),
        ]
        assert source.notice == ""
        assert "country=de" in server.requests[0]

    async def test_the_end_of_the_service_and_its_licence_are_told(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        server.trouble = saying(200, self.answer(deprecated=True, license_info="CC BY 4.0 (x)"))
        source = opens("energy_charts")
        await source.refresh()

        assert "announces the end" in source.notice
        assert source.info.licence == "CC BY 4.0 (x)"

    async def test_columns_of_different_lengths(self, opens: Opens, server: ProviderServer) -> None:
        server.trouble = saying(200, self.answer(co2eq=[1.0]))
        with pytest.raises(ProviderChangedError, match="different lengths"):
            await opens("energy_charts").refresh()


class TestElectricityMaps:
    """The world."""

    async def test_an_estimate_of_the_provider_is_graded_as_one(self, opens: Opens) -> None:
        source = opens("electricity_maps")
        await source.refresh()
        grades = [each.grade for each in source.intervals(T - 3 * HOUR, T + HOUR)]

        assert grades == [Grade.MEASURED, Grade.MEASURED, Grade.ESTIMATED, Grade.ESTIMATED]
        assert source.info.scope is Scope.LIFE_CYCLE

    async def test_a_plan_without_forecast_is_not_asked_for_it_again(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        async def free_plan(request: web.Request) -> web.Response | None:
            if request.path.endswith("forecast"):
                return web.json_response({"message": "Forbidden"}, status=403)
            return None

        server.trouble = free_plan
        source = opens("electricity_maps")
        await source.refresh()
        await source.refresh()

        assert [path for path in server.requests if "forecast" in path] == server.requests[1:2]
        # The last value stands in for a while.
        assert source.intervals(T + 1.5 * HOUR, T + 1.6 * HOUR)[0].grade is Grade.FORECAST

    async def test_a_plan_without_history_gives_the_latest(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        async def smallest_plan(request: web.Request) -> web.Response | None:
            if not request.path.endswith("latest"):
                return web.json_response({"message": "Forbidden"}, status=403)
            return None

        server.trouble = smallest_plan
        source = opens("electricity_maps")
        await source.refresh()
        await source.refresh()

        assert source.intervals(T, T + HOUR)[0].value == level(T)
        assert len([path for path in server.requests if "history" in path]) == 1

    async def test_a_token_for_another_zone_is_a_matter_of_the_plan(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        server.trouble = saying(401, json.dumps({"message": "Request unauthorized for zoneKey=FR"}))
        with pytest.raises(ProviderPlanError, match="not for FR"):
            await opens("electricity_maps").refresh()

    async def test_direct_emissions(self, opens: Opens, server: ProviderServer) -> None:
        row = {"carbonIntensity": 5, "datetime": "2026-09-21T19:00:00Z", "isEstimated": False}
        row |= {"emissionFactorType": "direct"}
        server.trouble = saying(200, json.dumps({"history": [row], "forecast": []}))
        source = opens("electricity_maps")
        await source.refresh()
        assert source.info.scope is Scope.DIRECT


class TestWattTime:
    """Marginal intensities."""

    async def test_pounds_per_megawatt_hour(self, opens: Opens) -> None:
        source = opens("watttime")
        await source.refresh()
        begin = T - 2 * HOUR
        (interval,) = source.intervals(begin, begin + 300)

        assert interval.value == float(f"{level(begin) * 0.45359237:.8f}")

    async def test_a_token_that_ran_out_is_renewed_once(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        source = opens("watttime")
        await source.refresh()
        asked = 0

        async def expired(request: web.Request) -> web.Response | None:
            nonlocal asked
            asked += 1
            return web.json_response({}, status=401) if asked == 1 else None

        server.trouble = expired
        await source.refresh()

        paths = [path.partition("?")[0] for path in server.requests]
        first = ["/login", "/v3/historical", "/v3/forecast"]
        second = ["/v3/historical", "/login", "/v3/historical", "/v3/forecast"]
        assert paths == [*first, *second]

    async def test_an_account_that_is_not_accepted(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        for status in (401, 403):
            server.trouble = saying(status, "<html>")
            with pytest.raises(ProviderAuthError):
                await opens("watttime").refresh()

    @pytest.mark.parametrize("units", ["percentile", "%", None, "lbs"])
    async def test_a_percentage_is_no_intensity(
        self, units, opens: Opens, server: ProviderServer
    ) -> None:
        points = [{"point_time": "2026-09-21T19:00:00+00:00", "value": 57}]

        async def index(request: web.Request) -> web.Response | None:
            if request.path == "/login":
                return None
            meta = {"signal_type": "co2_moer", "units": units}
            return web.json_response({"meta": meta, "data": points})

        server.trouble = index
        source = opens("watttime")
        with pytest.raises(ProviderChangedError, match="not a unit of carbon intensity"):
            await source.refresh()
        assert source.intervals(0, T) == []

    async def test_another_signal_is_refused(self, opens: Opens, server: ProviderServer) -> None:
        async def aoer(request: web.Request) -> web.Response | None:
            if request.path == "/login":
                return None
            meta = {"signal_type": "co2_aoer", "units": "lbs_co2_per_mwh"}
            return web.json_response({"meta": meta, "data": []})

        server.trouble = aoer
        with pytest.raises(ProviderChangedError, match="co2_aoer"):
            await opens("watttime").refresh()

    async def test_the_region_of_a_place(self, opens: Opens, server: ProviderServer) -> None:
        source = opens("watttime")
        assert isinstance(source, WattTimeSource)
        assert await source.region_at(37.77, -122.42) == "CAISO_NORTH"
        assert "latitude=37.7700&longitude=-122.4200" in server.requests[-1]

    @pytest.mark.parametrize("token", [5, None, "a\r\nb", "ä"])
    async def test_a_token_that_is_none(self, token, opens: Opens, server: ProviderServer) -> None:
        server.trouble = saying(200, json.dumps({"token": token}))
        with pytest.raises(ProviderChangedError, match="token"):
            await opens("watttime").refresh()


class TestEia:
    """The United States."""

    @pytest.mark.parametrize(
        ("table", "scope", "expected"),
        [(DIRECT, Scope.DIRECT, 164.27), (LIFE_CYCLE, Scope.LIFE_CYCLE, 229.21)],
    )
    async def test_california_as_it_was_published(
        self, table, scope, expected, server: ProviderServer, surroundings
    ) -> None:
        """CISO, 2019-01-01 00:00 UTC, to the last printed digit (CarbonCast's data set)."""
        mix = {"COL": 9, "NG": 6574, "NUC": 2273, "OIL": 88, "WAT": 2403, "SUN": 1222, "WND": 2497}
        data = [
            {"period": "2019-01-01T01", "fueltype": fuel, "value": str(amount)}
            for fuel, amount in mix.items()
        ]
        server.trouble = saying(
            200, json.dumps({"response": {"total": str(len(data)), "data": data}})
        )
        packaged = generation_factors(load_library(), table)
        surroundings = replace(surroundings, factors=packaged)
        source = open_source("eia", Access(zone="CISO", key=KEY), surroundings, base_url=server.url)
        start = datetime(2019, 1, 1, tzinfo=UTC).timestamp()
        (piece,) = [piece async for piece in source.history(start, start + HOUR)]

        (interval,) = piece.intervals
        # The hour is named by its end.
        assert (interval.start, interval.end) == (start, start + HOUR)
        assert round(interval.value, 2) == expected
        assert source.info.scope is scope
        assert interval.source == f"eia:CISO:{table}"

    async def test_the_key_is_not_in_the_address(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        await opens("eia").refresh()
        assert all(KEY not in path for path in server.requests)

    async def test_an_authority_that_says_nothing(self, opens: Opens) -> None:
        with pytest.raises(ProviderZoneError, match="nothing new of ABCD"):
            await opens("eia", zone="ABCD").refresh()

    async def test_more_rows_than_one_answer_has(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        fuels = [f"F{index}" for index in range(30)]

        async def many(request: web.Request) -> web.Response:
            hours = [f"2026-09-{day:02}T{hour:02}" for day in range(10, 20) for hour in range(24)]
            rows = [
                {"period": hour, "fueltype": fuel, "value": "5"}
                for hour in hours
                for fuel in ("COL", "WND", *fuels)
            ]
            offset = int(request.query["offset"])
            page = rows[offset : offset + 5000]
            return web.json_response({"response": {"total": len(rows), "data": page}})

        server.trouble = many
        start = datetime(2026, 9, 10, tzinfo=UTC).timestamp() - HOUR
        pieces = [piece async for piece in opens("eia").history(start, start + 10 * DAY)]
        assert len(pieces[0].intervals) == 240
        assert len(server.requests) == 2

    async def test_rows_without_end(self, opens: Opens, server: ProviderServer) -> None:
        row = {"period": "2026-09-21T10", "fueltype": "COL", "value": "5"}
        answer = {"response": {"total": 10**9, "data": [row] * 100}}
        server.trouble = saying(200, json.dumps(answer))
        with pytest.raises(ProviderChangedError, match="more than 20000 rows"):
            await opens("eia").refresh()


class TestOpenElectricity:
    """Australia."""

    def series(self, metric: str, unit: str, **fuels: list[object]) -> dict[str, object]:
        texts = [f"2026-09-22T05:{minute:02}:00+10:00" for minute in range(0, 60, 5)]
        results = [
            {
                "columns": {"region": "NSW1", "fueltech": fuel},
                "data": [list(pair) for pair in zip(texts, amounts, strict=False)],
            }
            for fuel, amounts in fuels.items()
        ]
        return {"metric": metric, "unit": unit, "results": results}

    async def told(
        self, source_of: Opens, server: ProviderServer, *series: dict[str, object]
    ) -> list[tuple[float, float]]:
        server.trouble = saying(200, json.dumps({"data": series}))
        source = source_of("open_electricity")
        await source.refresh()
        return [
            (each.start - T, each.value)
            for each in source.intervals(0, T)
            if each.grade is Grade.MEASURED
        ]

    async def test_emissions_over_energy(self, opens: Opens, server: ProviderServer) -> None:
        energy = self.series("energy", "MWh", coal_black=[50, 50], solar_rooftop=[50, -1])
        emissions = self.series("emissions", "t", coal_black=[45, 45], solar_rooftop=[0, None])
        assert await self.told(opens, server, energy, emissions) == [(-3600, 450), (-3300, 900)]

    async def test_fuels_that_are_missing_make_a_hole(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        energy = self.series(
            "energy", "MWh", coal_black=[50, 50, None, 50], wind=[50, None, 50, 50]
        )
        emissions = self.series("emissions", "t", coal_black=[45, 45, 45, None])
        assert await self.told(opens, server, energy, emissions) == [(-3600, 450)]

    async def test_emissions_below_nothing_make_a_hole(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        energy = self.series("energy", "MWh", coal_black=[50, 50])
        emissions = self.series("emissions", "t", coal_black=[45, -45])
        assert await self.told(opens, server, energy, emissions) == [(-3600, 900)]

    async def test_storage_and_exchange_do_not_count(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        energy = self.series(
            "energy", "MWh", coal_black=[50], battery_discharging=[500], imports=[500], pumps=[-9]
        )
        emissions = self.series("emissions", "t", coal_black=[45], imports=[9999])
        assert await self.told(opens, server, energy, emissions) == [(-3600, 900)]

    async def test_other_units_are_refused(self, opens: Opens, server: ProviderServer) -> None:
        energy = self.series("energy", "GWh", coal_black=[50])
        emissions = self.series("emissions", "t", coal_black=[45])
        with pytest.raises(ProviderChangedError, match="'GWh' instead of MWh"):
            await self.told(opens, server, energy, emissions)

    async def test_western_australia_has_a_network_of_its_own(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        await opens("open_electricity", zone="WEM").refresh()
        assert server.requests[0].startswith("/data/network/WEM")
        # Eight hours ahead of UTC.
        assert "date_end=2026-09-22T04:00:00" in server.requests[0]


class TestEco2mix:
    """France."""

    async def test_real_time_is_an_estimate_and_final_is_not(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        source = opens("eco2mix")
        start = T - 100 * DAY
        (piece,) = [piece async for piece in source.history(start, start + DAY)]

        assert {each.grade for each in piece.intervals} == {Grade.MEASURED}
        assert {each.end - each.start for each in piece.intervals} == {1800}
        assert [path.split("/")[1].split("?")[0] for path in server.requests] == [
            "eco2mix-national-tr",
            "eco2mix-national-cons-def",
        ]

    async def test_an_answer_of_several_pages(self, opens: Opens, server: ProviderServer) -> None:
        source = opens("eco2mix")
        await source.refresh()

        assert [path for path in server.requests if "offset=100" in path]
        assert len(source.intervals(T - 26 * HOUR, T)) == 104


class TestNed:
    """The Netherlands."""

    async def test_kilograms_and_plain_days(self, opens: Opens, server: ProviderServer) -> None:
        source = opens("ned")
        await source.refresh()

        assert source.intervals(T - 2 * HOUR, T - 1.75 * HOUR)[0].value == level(T - 2 * HOUR)
        assert all("T" not in path.partition("validfrom")[2] for path in server.requests)


class TestEnerginet:
    """Denmark."""

    async def test_rows_of_the_other_area_are_left_out(
        self, opens: Opens, server: ProviderServer
    ) -> None:
        records = [
            {"Minutes5UTC": "2026-09-21T19:00:00", "PriceArea": area, "CO2Emission": value}
            for area, value in (("DK1", 11), ("DK2", 22))
        ]
        server.trouble = saying(200, json.dumps({"records": records}))
        source = opens("energinet", zone="DK2")
        await source.refresh()
        assert source.intervals(T - 3600, T - 3300)[0].value == 22
