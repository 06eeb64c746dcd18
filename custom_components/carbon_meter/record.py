"""The record: hourly external statistics of everything in a site's book, and of the power.

Rows are absolute, so that writing an hour again changes nothing, and an hour that late energy or
a restatement touches is written anew with all that follow.
"""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import batched
from typing import Final

from homeassistant.components.recorder.const import DOMAIN as RECORDER_DOMAIN
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import async_add_external_statistics
from homeassistant.const import UnitOfPower
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .bookkeeper import Bookkeeper
from .carbon.intervals import HOUR, floor
from .const import DOMAIN
from .coordinator import MeterCoordinator
from .figure_owners import owners
from .figure_series import Owner, Series, grid_rows, moment, rows_of, statistic_id

_PIECE: Final = 1000
"""Rows that the recorder writes in one go: about six weeks of a series."""


class Record:
    """Writes the finished hours of one site to the recorder."""

    def __init__(
        self,
        hass: HomeAssistant,
        site: tuple[str, str],
        meters: Mapping[str, MeterCoordinator],
        keeper: Bookkeeper,
    ) -> None:
        """Take the site's id and title, its meters and its book."""
        self._hass = hass
        self._site = site
        self._meters = meters
        self._keeper = keeper
        self._publishing = asyncio.Lock()

    async def async_publish(self) -> None:
        """Write every hour that is finished and not yet written as it is now known.

        Between two meters others have their turn.
        """
        async with self._publishing:
            recorded = RECORDER_DOMAIN in self._hass.config.components
            entered = await self._keeper.async_enter()
            now = dt_util.utcnow().timestamp()
            first = self._keeper.unpublished
            if recorded and first is not None:
                await self._publish_book(first, floor(now, HOUR))
            for subentry_id, meter in self._meters.items():
                await asyncio.sleep(0)
                until = meter.account.booked_until
                if entered and until is not None:
                    # What is in the book need not stay in the ledger, recorder or not.
                    ledger = meter.account.ledger
                    ledger.published(ledger.unpublished(min(until, now)))
                # Power does not wait for counters; an hour that goes on changing is written again.
                self._publish_power(subentry_id, meter, now, recorded=recorded)

    async def _publish_book(self, first: int, end: int) -> None:
        """Write what the site's book says of the hours of [first, end)."""
        if first >= end:
            return
        for owner in owners(self._hass, self._site, self._keeper.plan, self._meters):
            start, until = first, end
            if owner.meter is not None:
                # What is booked later touches the hours that are left out here.
                booked = floor(self._meters[owner.meter].account.booked_until or 0.0, HOUR)
                until = min(end, max(booked, self._keeper.filled.get(owner.meter, 0)))
                # What is in the record from before the archive is in nothing else.
                start = max(first, self._keeper.continued.get(owner.meter, first))
            if start < until:
                self._write_all(await self._rows(owner, start, until))
        archive = self._keeper.archive
        self._write_all(
            await self._hass.async_add_executor_job(grid_rows, archive, self._site, first, end)
        )
        await self._keeper.async_published(end)

    async def _rows(self, owner: Owner, first: int, until: int) -> list[Series]:
        archive = self._keeper.archive
        return await self._hass.async_add_executor_job(
            lambda: list(rows_of(archive, owner, first, until))
        )

    def _publish_power(
        self, subentry_id: str, meter: MeterCoordinator, until: float, *, recorded: bool
    ) -> None:
        """Write mean, minimum and maximum of the power of every finished hour."""
        rows = meter.watch.power.rows(until)
        if rows and recorded:
            self._write(
                StatisticMetaData(
                    mean_type=StatisticMeanType.ARITHMETIC,
                    has_sum=False,
                    name=f"{meter.subentry.title} power",
                    source=DOMAIN,
                    statistic_id=statistic_id(subentry_id, "power"),
                    unit_class="power",
                    unit_of_measurement=UnitOfPower.WATT,
                ),
                (
                    StatisticData(
                        start=moment(row.start), mean=row.mean, min=row.minimum, max=row.maximum
                    )
                    for row in rows
                ),
            )
        meter.watch.power.published(rows)

    def _write_all(self, found: Iterable[Series]) -> None:
        for metadata, rows in found:
            self._write(metadata, rows)

    def _write(self, metadata: StatisticMetaData, rows: Iterable[StatisticData]) -> None:
        """Hand rows to the recorder, in pieces between which it writes what else has come."""
        for piece in batched(rows, _PIECE, strict=False):
            async_add_external_statistics(self._hass, metadata, list(piece))
