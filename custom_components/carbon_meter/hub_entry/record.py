"""What a hub has published, as hourly statistics: what people see, and nothing that they do not."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
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

_AGAIN: Final = 15 * 86400
"""Seconds back that are written again at the start: a stop may have come before they were."""

_NEAR: Final = 40 * 86400
"""Seconds back in which the sum to go on from is looked for first."""

_PIECE: Final = 2000
_MG_PER_KG: Final = 1_000_000
_WH_PER_KWH: Final = 1000

type SeriesKey = tuple[Flow, Kind]


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
        for scope_key, since in list(self._pending.items()):
            rows = await instance.async_add_executor_job(
                self._rows, scope_key, since - since % HOUR
            )
            for metadata, data in rows:
                for piece in batched(data, _PIECE, strict=False):
                    async_add_external_statistics(self._hass, metadata, list(piece))
            # What could not be read stays to be written the next time.
            del self._pending[scope_key]

    def _note(self, scope: ScopeKey, begin: int) -> None:
        """Remember from when on a scope is to be written."""
        self._pending[scope] = min(begin, self._pending.get(scope, begin))

    def _rows(
        self, scope: ScopeKey, since: int
    ) -> list[tuple[StatisticMetaData, list[StatisticData]]]:
        """Return the series of a scope from an hour on; blocks."""
        series = self._cells(scope, since)
        energy_ids = {self._id(scope, key, "energy"): key for key in series}
        carbon_ids = {self._id(scope, key, "carbon"): key for key in series}
        before = self._sums_before({*energy_ids, *carbon_ids}, since)
        new = {
            key
            for ids in (energy_ids, carbon_ids)
            for name, key in ids.items()
            if name not in before
        }
        if new:
            # Of a series that the recorder does not know before this hour: from its beginning.
            whole = self._cells(scope, 0)
            series |= {key: whole[key] for key in new}
        return [row for key, cells in series.items() for row in self._of(scope, key, cells, before)]

    def _cells(self, scope: ScopeKey, since: int) -> dict[SeriesKey, list[PublicCell]]:
        """Return the published hours of a scope by flow and kind of intensity."""
        until = int(dt_util.utcnow().timestamp()) + HOUR
        result: dict[SeriesKey, list[PublicCell]] = defaultdict(list)
        for cell in self._publisher.cells(Grain.HOUR, since, until, scope=scope[0], name=scope[1]):
            if cell.suppressed is None and cell.wh is not None:
                result[cell.key.flow, cell.key.kind].append(cell)
        return dict(result)

    def _sums_before(self, ids: set[str], hour: int) -> dict[str, float]:
        """Return the sums up to an hour of those series that have any before it."""
        found: dict[str, float] = {}
        for start in (max(0, hour - _NEAR), 0):
            left = ids - found.keys()
            if not left:
                break
            rows = statistics_during_period(
                self._hass, _moment(start), _moment(hour), left, "hour", None, {"sum"}
            )
            for name, told in rows.items():
                known = [row["sum"] for row in told if row.get("sum") is not None]
                if known:
                    found[name] = float(known[-1] or 0.0)
        return found

    def _of(
        self, scope: ScopeKey, key: SeriesKey, cells: list[PublicCell], before: dict[str, float]
    ) -> Iterator[tuple[StatisticMetaData, list[StatisticData]]]:
        """Yield energy, carbon and intensity of one flow."""
        amounts = [(cell, (cell.wh or 0) / _WH_PER_KWH) for cell in cells]
        yield self._summed(scope, key, "energy", amounts, before)
        weighed = [(cell, cell.mg / _MG_PER_KG) for cell in cells if cell.mg is not None]
        yield self._summed(scope, key, "carbon", weighed, before)
        yield (
            self._metadata(scope, key, "intensity"),
            [
                StatisticData(start=_moment(cell.key.begin), mean=value, min=value, max=value)
                for cell in cells
                if cell.wh and cell.mg is not None
                for value in (cell.mg / cell.wh,)
            ],
        )

    def _summed(
        self,
        scope: ScopeKey,
        key: SeriesKey,
        what: str,
        amounts: list[tuple[PublicCell, float]],
        before: dict[str, float],
    ) -> tuple[StatisticMetaData, list[StatisticData]]:
        """Return a series whose sums go on from what was before."""
        metadata = self._metadata(scope, key, what)
        total = before.get(metadata["statistic_id"], 0.0)
        rows = []
        for cell, amount in amounts:
            total += amount
            rows.append(StatisticData(start=_moment(cell.key.begin), state=amount, sum=total))
        return metadata, rows

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

    def _id(self, scope: ScopeKey, key: SeriesKey, what: str) -> str:
        """Return the id of a series."""
        flow, kind = key
        place = "" if scope == COMMUNITY else f"_{scope[0]}_{scope_slug(scope)}"
        suffix = "" if kind is Kind.AVERAGE else f"_{kind}"
        return f"{DOMAIN}:{self._entry.entry_id.lower()}{place}_{flow}_{what}{suffix}"


_UNITS: Final = {
    "energy": (UnitOfEnergy.KILO_WATT_HOUR, "energy"),
    "carbon": (UnitOfMass.KILOGRAMS, "mass"),
    "intensity": (UNIT_INTENSITY, None),
}


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


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour, UTC)
