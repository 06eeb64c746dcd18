"""Australia: Open Electricity, from energy and emissions of each fuel, with the user's key.

`/v4/data/network/{NEM|WEM}?metrics=energy&metrics=emissions&network_region=NSW1
&primary_grouping=network_region&secondary_grouping=fueltech&interval=5m`: for each metric
`data[]{metric, unit, results[]{columns{region, fueltech}, data[[time, value]]}}`, MWh and t per
interval; `date_start` and `date_end` are local time of the network without an offset (models of
openelectricity 0.12.0). The free plan allows 500 requests a day.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta, timezone
from typing import Any, Final, override

from ...grade import Grade
from ..source import IntensityInterval
from .answers import mapping, number, part, sequence
from .errors import ProviderChangedError
from .live_source import LiveSource
from .mixes import MATTERS
from .provider import DAY, HOUR, Basis, Need, Provider
from .times import instant, utc

_FORM: Final = "%Y-%m-%dT%H:%M:%S"
_NETWORKS: Final = {"WEM": ("WEM", 8)}
_NEM: Final = ("NEM", 10)
"""Network, and the hours by which its time is ahead of UTC; neither changes its clocks."""

_ELSEWHERE: Final = frozenset(
    {
        "aggregator_dr",
        "aggregator_vpp",
        "battery",
        "battery_charging",
        "battery_discharging",
        "exports",
        "hydro_and_storage",
        "imports",
        "interconnector",
        "pumps",
    }
)
"""What is not generated in the region at that time: storage, exchanges, loads."""

OPEN_ELECTRICITY: Final = Provider(
    key="open_electricity",
    name="Open Electricity",
    base_url="https://api.openelectricity.org.au/v4",
    zones={
        "NSW1": "New South Wales",
        "QLD1": "Queensland",
        "SA1": "South Australia",
        "TAS1": "Tasmania",
        "VIC1": "Victoria",
        "WEM": "Western Australia (SWIS)",
    },
    countries={"AU": ""},
    need=Need.KEY,
    register="https://platform.openelectricity.org.au",
    basis=Basis.PRODUCTION,
    includes_td=False,
    licence="CC BY-NC 4.0",
    attribution=(
        "Data sourced from Open Electricity (Superpower Institute), licensed under CC BY-NC 4.0"
    ),
    terms="https://platform.openelectricity.org.au/license",
    auth_statuses=frozenset({401, 403}),
    spacing=180.0,
    burst=20,
    refresh=0.25 * HOUR,
    step=300.0,
    carry=HOUR,
    chunk=28 * DAY,
)


class OpenElectricitySource(LiveSource):
    """The intensity of what is generated in a region, rooftop solar included."""

    provider = OPEN_ELECTRICITY

    @override
    async def _told_recently(self, now: float) -> list[IntensityInterval]:
        return await self._asked(now - self.provider.tail, now, "5m", self.provider.step)

    @override
    async def _past(self, start: float, end: float) -> list[IntensityInterval]:
        return await self._asked(start, end, "1h", HOUR)

    async def _asked(
        self, start: float, end: float, interval: str, step: float
    ) -> list[IntensityInterval]:
        """Return the intervals of one length in [start, end)."""
        region = self._access.zone
        network, ahead = _NETWORKS.get(region, _NEM)
        document = await self._web.json(
            f"/data/network/{network}",
            [
                ("metrics", "energy"),
                ("metrics", "emissions"),
                ("interval", interval),
                ("date_start", utc(start // step * step + ahead * HOUR, _FORM)),
                ("date_end", utc(end // step * step + ahead * HOUR, _FORM)),
                ("network_region", region),
                ("primary_grouping", "network_region"),
                ("secondary_grouping", "fueltech"),
            ],
            headers={"Authorization": f"Bearer {self._access.key}"},
        )
        metrics: dict[str, Mapping[str, Any]] = {}
        for entry in sequence(part(document, "data", "the answer"), "data"):
            series = mapping(entry, "a series")
            metrics[str(series.get("metric"))] = series
        local = timezone(timedelta(hours=ahead))
        energy = dict(self._amounts(metrics.get("energy"), "MWh", local))
        emissions = dict(self._amounts(metrics.get("emissions"), "t", local))
        rows = self._rows("t/MWh")
        for begin, intensity in _intensities(energy, emissions):
            rows.add(begin, begin + step, intensity, Grade.MEASURED)
        return rows.intervals()

    def _amounts(
        self, series: Mapping[str, Any] | None, unit: str, local: timezone
    ) -> Iterator[tuple[str, dict[float, float]]]:
        """Yield what each fuel gave, by the time at which the interval begins."""
        document = mapping(series, "a metric")
        if document.get("unit") != unit:
            raise ProviderChangedError(f"{document.get('unit')!r} instead of {unit}")
        for entry in sequence(part(document, "results", "a metric"), "results"):
            result = mapping(entry, "a result")
            columns = mapping(part(result, "columns", "a result"), "columns")
            fuel = str(columns.get("fueltech"))
            if fuel in _ELSEWHERE or columns.get("region", self._access.zone) != self._access.zone:
                continue
            amounts: dict[float, float] = {}
            for point in sequence(part(result, "data", "a result"), "data"):
                if isinstance(point, list) and len(point) == 2:
                    begin, amount = instant(point[0], local), number(point[1])
                    if begin is not None and amount is not None:
                        amounts[begin] = amount
            yield fuel, amounts


def _intensities(
    energy: Mapping[str, Mapping[float, float]], emissions: Mapping[str, Mapping[float, float]]
) -> Iterator[tuple[float, float]]:
    """Yield when an interval begins and its t/MWh, where all fuels that matter are known.

    The emissions of a fuel that has none are often missing; those of one that has some must not be.
    What takes a little energy in, such as solar plants at night, gives nothing.
    """
    energy = {
        fuel: {begin: max(amount, 0.0) for begin, amount in amounts.items()}
        for fuel, amounts in energy.items()
    }
    totals = {fuel: sum(amounts.values()) for fuel, amounts in energy.items()}
    floor = MATTERS * sum(totals.values())
    main = [energy[fuel] for fuel, total in totals.items() if total > floor]
    burning = [
        (energy[fuel], amounts)
        for fuel, amounts in emissions.items()
        if fuel in energy and any(amounts.values())
    ]
    for begin in sorted(set().union(*energy.values())):
        total = sum(amounts.get(begin, 0.0) for amounts in energy.values())
        emitted = [carbon.get(begin, 0.0) for _, carbon in burning]
        told = all(begin in amounts for amounts in main) and all(
            begin in carbon or not amounts.get(begin) for amounts, carbon in burning
        )
        if total > 0 and told and min(emitted, default=0.0) >= 0:
            yield begin, sum(emitted) / total
