"""What a hub has published, as hourly statistics: what people see, and nothing that they do not.

Statistics cannot forget a single hour. One that is hidden later keeps its row, without any
figure, and the sums go on over it as if it had never been there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import batched
from typing import Any, Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    statistics_during_period,
)
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import UnitOfEnergy, UnitOfMass
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import get_instance
from homeassistant.util import dt as dt_util, slugify

from ..community.contract.message import Flow, Kind
from ..community.hub.publishing import Publisher
from ..community.ledger.calendar import HOUR, Grain
from ..community.ledger.cells import CellKey, Scope
from ..community.privacy.publish import PublicCell
from ..const import DOMAIN, UNIT_INTENSITY
from .figures import COMMUNITY, ScopeKey
from .statistics_figures import FOLLOWED, FollowedSeries, amounts_of

_AGAIN: Final = 15 * 86400
"""Seconds back that are written again at the start: a stop may have come before they were."""

_NEAR: Final = 40 * 86400
"""Seconds back in which the sum to go on from is looked for first."""

_MOST_WAITING: Final = 5000
"""Rows that wait for the recorder at a time: of a whole month it would hold all in memory."""

_PIECE: Final = 2000
_MG_PER_KG: Final = 1_000_000
_WH_PER_KWH: Final = 1000

type SeriesKey = tuple[Flow, Kind]

type Amounts = Mapping[int, float | None]
"""By the beginning of each hour; None for one of which nothing is shown."""


class HubRecord:
    """Writes published hours of the community, its feeders and groups as external statistics."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], publisher: Publisher) -> None:
        """Keep where it is read from; nothing is written yet."""
        self._hass = hass
        self._entry = entry
        self._publisher = publisher
        self._pending: dict[ScopeKey, int] = {}
        self._begun = False

    async def async_write(self, changed: Iterable[CellKey]) -> None:
        """Write what was published anew, and of each such series all sums after it.

        Raises LedgerError where it cannot be read; it is written the next time.
        """
        for key in changed:
            if key.grain is Grain.HOUR:
                self._note(_scope(key), key.begin)
        if RECORDER_DOMAIN not in self._hass.config.components:
            return
        if not self._begun:
            since = int(dt_util.utcnow().timestamp()) - _AGAIN
            for scope, name in await self._hass.async_add_executor_job(self._publisher.scopes):
                self._note((scope, None if scope is Scope.COMMUNITY else name), since)
            self._begun = True
        instance = get_instance(self._hass)
        # What was written before must be there: sums go on from it.
        await instance.async_block_till_done()
        waiting = 0
        for scope_key, since in list(self._pending.items()):
            rows = await instance.async_add_executor_job(
                self._rows, scope_key, since - since % HOUR
            )
            for metadata, data in rows:
                for piece in batched(data, _PIECE, strict=False):
                    async_add_external_statistics(self._hass, metadata, list(piece))
                waiting += len(data)
                if waiting > _MOST_WAITING:
                    await instance.async_block_till_done()
                    waiting = 0
            # What could not be read stays to be written the next time.
            del self._pending[scope_key]

    def _note(self, scope: ScopeKey, begin: int) -> None:
        """Remember from when on a scope is to be written."""
        self._pending[scope] = min(begin, self._pending.get(scope, begin))

    def _rows(
        self, scope: ScopeKey, since: int
    ) -> list[tuple[StatisticMetaData, list[StatisticData]]]:
        """Return the series of a scope from an hour on; blocks."""
        return [*self._rows_of_flows(scope, since), *self._rows_that_follow(scope, since)]

    def _rows_of_flows(
        self, scope: ScopeKey, since: int
    ) -> Iterator[tuple[StatisticMetaData, list[StatisticData]]]:
        """Yield energy, carbon and intensity of each flow."""
        series = self._cells(scope, since)
        written = self._written(
            {self._id(scope, key, what) for key in series for what in _UNITS}, since
        )
        series = {
            key: cells
            for key, cells in series.items()
            if any(_is_shown(cell) for cell in cells)
            or any(self._id(scope, key, what) in written for what in _UNITS)
        }
        ids = {self._id(scope, key, what) for key in series for what in _SUMMED}
        before = self._sums_before(ids, since)
        # Carbon may be known of no hour; energy is there wherever anything is.
        if new := {key for key in series if self._id(scope, key, "energy") not in before}:
            # Of a series that the recorder does not know before this hour: from its beginning.
            whole = self._cells(scope, 0)
            series |= {key: whole[key] for key in new}
            for key in new:
                before.pop(self._id(scope, key, "carbon"), None)
        for key, cells in series.items():
            yield from self._of(scope, key, cells, before, written)

    def _rows_that_follow(
        self, scope: ScopeKey, since: int
    ) -> Iterator[tuple[StatisticMetaData, list[StatisticData]]]:
        """Yield what follows from the hours of a scope."""
        ids = {series.what: self._id_in(scope, series.what) for series in FOLLOWED}
        told = amounts_of(self._publisher, scope, since, _until())
        written = self._written(set(ids.values()), since)
        wanted = {
            what
            for what, hours in told.items()
            if ids[what] in written or any(amount is not None for amount in hours.values())
        }
        before = self._sums_before({ids[what] for what in wanted}, since)
        # Of a series that the recorder does not know before this hour: from its beginning.
        if new := {what for what in wanted if ids[what] not in before}:
            cells = self._publisher.cells(Grain.HOUR, 0, since, scope=scope[0], name=scope[1])
            first = min((cell.key.begin for cell in cells), default=since)
            earlier = amounts_of(self._publisher, scope, first, since)
            told |= {what: earlier[what] | told[what] for what in new}
        for series in FOLLOWED:
            if series.what not in wanted:
                continue
            name = ids[series.what]
            hours, here = told[series.what], written.get(name, {})
            rows = (
                _summed(hours, here, before.get(name, 0.0))
                if series.is_sum
                else _means(hours, here)
            )
            yield self._metadata_of(scope, series), rows

    def _cells(self, scope: ScopeKey, since: int) -> dict[SeriesKey, list[PublicCell]]:
        """Return the hours of a scope by flow and kind of intensity, suppressed ones too."""
        result: dict[SeriesKey, list[PublicCell]] = defaultdict(list)
        for cell in self._publisher.cells(
            Grain.HOUR, since, _until(), scope=scope[0], name=scope[1]
        ):
            result[cell.key.flow, cell.key.kind].append(cell)
        return dict(result)

    def _written(self, ids: set[str], since: int) -> dict[str, dict[int, float | None]]:
        """Return the hours of series that the recorder has, with what was added to their sums."""
        if not ids:
            return {}
        # Means have no state, and without any column the recorder gives no row.
        found = statistics_during_period(
            self._hass, _moment(since), None, ids, "hour", None, {"state", "mean"}
        )
        return {
            name: {int(row["start"]): row.get("state") for row in rows}
            for name, rows in found.items()
        }

    def _sums_before(self, ids: set[str], hour: int) -> dict[str, float]:
        """Return the sums up to an hour of those series that have any row before it.

        That of a series of means is 0.
        """
        found: dict[str, float] = {}
        for start in (max(0, hour - _NEAR), 0):
            left = ids - found.keys()
            if not left:
                break
            rows = statistics_during_period(
                self._hass, _moment(start), _moment(hour), left, "hour", None, {"sum", "mean"}
            )
            for name, told in rows.items():
                if told:
                    found[name] = float(told[-1].get("sum") or 0.0)
        return found

    def _of(
        self,
        scope: ScopeKey,
        key: SeriesKey,
        cells: list[PublicCell],
        before: Mapping[str, float],
        written: Mapping[str, Amounts],
    ) -> Iterator[tuple[StatisticMetaData, list[StatisticData]]]:
        """Yield energy, carbon and intensity of one flow."""
        for what, amount in _AMOUNTS.items():
            metadata = self._metadata(scope, key, what)
            name = metadata["statistic_id"]
            told = {cell.key.begin: amount(cell) if _is_shown(cell) else None for cell in cells}
            here = written.get(name, {})
            if what in _SUMMED:
                yield metadata, _summed(told, here, before.get(name, 0.0))
            else:
                yield metadata, _means(told, here)

    def _metadata(self, scope: ScopeKey, key: SeriesKey, what: str) -> StatisticMetaData:
        """Return what a series is."""
        flow, kind = key
        place = "" if scope[1] is None else f" {scope[1]}"
        suffix = "" if kind is Kind.AVERAGE else f" ({kind})"
        unit, unit_class = _UNITS[what]
        is_mean = what == "intensity"
        return StatisticMetaData(
            mean_type=StatisticMeanType.ARITHMETIC if is_mean else StatisticMeanType.NONE,
            has_sum=not is_mean,
            name=f"{self._entry.title}{place} {flow.replace('_', ' ')} {what}{suffix}",
            source=DOMAIN,
            statistic_id=self._id(scope, key, what),
            unit_class=unit_class,
            unit_of_measurement=unit,
        )

    def _metadata_of(self, scope: ScopeKey, series: FollowedSeries) -> StatisticMetaData:
        """Return what a series is that follows from hours."""
        place = "" if scope[1] is None else f" {scope[1]}"
        return StatisticMetaData(
            mean_type=StatisticMeanType.NONE if series.is_sum else StatisticMeanType.ARITHMETIC,
            has_sum=series.is_sum,
            name=f"{self._entry.title}{place} {series.label}",
            source=DOMAIN,
            statistic_id=self._id_in(scope, series.what),
            unit_class=series.unit_class,
            unit_of_measurement=series.unit,
        )

    def _id(self, scope: ScopeKey, key: SeriesKey, what: str) -> str:
        """Return the id of a series."""
        flow, kind = key
        suffix = "" if kind is Kind.AVERAGE else f"_{kind}"
        return self._id_in(scope, f"{flow}_{what}{suffix}")

    def _id_in(self, scope: ScopeKey, what: str) -> str:
        """Return the id of something of a scope."""
        place = "" if scope == COMMUNITY else f"_{scope[0]}_{scope_slug(scope)}"
        return f"{DOMAIN}:{self._entry.entry_id.lower()}{place}_{what}"


_UNITS: Final = {
    "energy": (UnitOfEnergy.KILO_WATT_HOUR, "energy"),
    "carbon": (UnitOfMass.KILOGRAMS, "mass"),
    "intensity": (UNIT_INTENSITY, None),
}

_SUMMED: Final = ("energy", "carbon")

_AMOUNTS: Final[Mapping[str, Callable[[PublicCell], float | None]]] = {
    "energy": lambda cell: (cell.wh or 0) / _WH_PER_KWH,
    "carbon": lambda cell: None if cell.mg is None else cell.mg / _MG_PER_KG,
    "intensity": lambda cell: cell.mg / cell.wh if cell.wh and cell.mg is not None else None,
}
"""What each series has of a cell that is shown."""


def _is_shown(cell: PublicCell) -> bool:
    return cell.suppressed is None and cell.wh is not None


def _summed(told: Amounts, written: Amounts, total: float) -> list[StatisticData]:
    """Return rows whose sums go on from a total; those of hidden hours only carry it on."""
    rows = []
    for hour in sorted(told.keys() | written.keys()):
        # Of what the file of publications has lost the recorder's own row is all there is.
        amount = told[hour] if hour in told else written[hour]
        if amount is None and hour not in written:
            continue
        if amount is None:
            rows.append(StatisticData(start=_moment(hour), sum=total))
            continue
        total += amount
        rows.append(StatisticData(start=_moment(hour), state=amount, sum=total))
    return rows


def _means(told: Amounts, written: Amounts) -> list[StatisticData]:
    """Return rows of a mean; those of hidden hours are emptied."""
    return [
        StatisticData(start=_moment(hour))
        if value is None
        else StatisticData(start=_moment(hour), mean=value, min=value, max=value)
        for hour, value in told.items()
        if value is not None or hour in written
    ]


def scope_slug(scope: ScopeKey) -> str:
    """Return the name of a feeder or group as part of an id, another one for each name."""
    name = scope[1] or ""
    slug = slugify(name)
    if slug == name:
        return slug
    # Two names may have one slug, as "A 1" and "a-1".
    return f"{slug}_{blake2b(name.encode(), digest_size=4).hexdigest()}"


def _scope(key: CellKey) -> ScopeKey:
    return (key.scope, None if key.scope is Scope.COMMUNITY else key.name)


def _until() -> int:
    """Return the end of what can have been published."""
    return int(dt_util.utcnow().timestamp()) + HOUR


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour, UTC)
