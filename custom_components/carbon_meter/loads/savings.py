"""What finished runs have really saved, once the intensities have come true; beside the inventory.

A run waits until for nearly all of its energy, and of its counterfactual's, an intensity was told
by a source (measured or estimated), but for a week at the most. What it took is what its meter
counted where one of the site measures it, else what the load itself has seen.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from homeassistant.core import HomeAssistant
import numpy as np

from ..bookkeeper import Bookkeeper
from ..carbon.archive.errors import ArchiveError
from ..carbon.grade import Grade
from ..carbon.intensity.source import IntensityInterval
from ..carbon.intervals import HOUR, INTERVAL
from ..const import LOGGER
from ..coordinator import MeterCoordinator
from ..intensity import SiteIntensity
from ..planning.jobs.shift_saving import battery_saving, zone_saving
from ..planning.plan import Outcome, Piece, Plan, Reason, ReasonKind, joined
from ..planning.realised import Saving, realised_saving
from ..planning.slots import Slots
from .keys import CONF_METER, LoadKind
from .load import Load
from .prices import SitePrices
from .realised import Ran
from .settings import efficiency_of

COVERED: Final = 0.95
"""The part of the energies whose intensities must have come true."""

LONGEST: Final = 7 * 86400.0
"""Seconds that a run waits at the most."""

_READ: Final = 0.9
"""The part of a run's time in which its meter was read, for what it counted to be all."""

_BOOKED: Final = 900.0
"""Seconds after which all that its meter has counted is in the book."""

_STANDBY: Final = 5.0
"""W below which what a meter counts beside a run is none of it."""

_CAME_TRUE: Final = frozenset({Grade.MEASURED, Grade.ESTIMATED})

_NOTHING: Final = Outcome(energy=0.0, value=0.0, second=0.0, unknown=0.0, carbon=None, cost=None)


class Savings:
    """Books what the loads of one site have saved."""

    def __init__(
        self,
        hass: HomeAssistant,
        intensity: SiteIntensity,
        keeper: Bookkeeper,
        prices: SitePrices,
        meters: Mapping[str, MeterCoordinator],
    ) -> None:
        """Take where intensities, energies and prices come from."""
        self._hass = hass
        self._intensity = intensity
        self._keeper = keeper
        self._prices = prices
        self._meters = meters

    async def async_settle(self, load: Load, now: float) -> bool:
        """Book the runs of a load that need not wait any more; return whether there were any."""
        settled = False
        for ran in list(load.realised.waiting):
            if now < max(ran.end, ran.ended) + _BOOKED:
                # Its counterfactual is not over yet, or the book has not all of it.
                continue
            taken = await self._async_taken(load, ran)
            intensities = self._came_true(ran.start, max(ran.end, taken[-1].end))
            saving = self._saving(load, ran, taken, intensities)
            is_known = saving is None or saving.coverage >= COVERED
            is_due = is_known or now - ran.ended >= LONGEST
            if is_due and ran in load.realised.waiting:
                load.realised.book(ran, taken, saving)
                settled = True
            # A week of many loads is a lot to look at in one go.
            await asyncio.sleep(0)
        return settled

    def _came_true(self, start: float, end: float) -> list[IntensityInterval]:
        """Return what sources told of a time that is past; forecasts and factors are not it."""
        # What has run longer than at once may end later than what is asked for.
        until = end + (end - start)
        found = self._intensity.ladder.intervals(start, until)
        return [each for each in found if each.grade in _CAME_TRUE]

    def _saving(
        self,
        load: Load,
        ran: Ran,
        taken: Sequence[Piece],
        intensities: Sequence[IntensityInterval],
    ) -> Saving | None:
        """Return what a run has saved against its counterfactual at equal energy."""
        start, end = ran.start, max(ran.end, taken[-1].end)
        prices = self._prices.intervals(start, end + (end - start))
        match load.kind:
            case LoadKind.BATTERY:
                return battery_saving(
                    load.id,
                    taken,
                    intensities,
                    efficiency=efficiency_of(load.data),
                    prices=prices,
                    planned=ran.saved,
                )
            case LoadKind.LIGHT_ZONE:
                without = _while_on(ran.baseline, taken)
                return zone_saving(
                    load.id, without, taken, intensities, prices=prices, planned=ran.saved
                )
            case LoadKind.THERMAL | LoadKind.AIR_ZONE:
                plan = _compared_with(ran, _scaled(ran.baseline, taken))
            case _:
                plan = _compared_with(ran, ran.baseline)
        return realised_saving(load.id, plan, taken, intensities, prices=prices)

    async def _async_taken(self, load: Load, ran: Ran) -> tuple[Piece, ...]:
        """Return what a run took, by the meter of the load where the site reads it."""
        meter_id = load.data.get(CONF_METER)
        if not isinstance(meter_id, str) or meter_id not in self._meters:
            return ran.taken
        if load.kind is LoadKind.BATTERY:
            # What it gives is seen by the load alone.
            return ran.taken
        try:
            found = await self._hass.async_add_executor_job(self._metered, meter_id, ran)
        except ArchiveError as err:
            LOGGER.debug("%s: what its meter counted is not known: %s", load.name, err)
            return ran.taken
        return found or ran.taken

    def _metered(self, meter_id: str, ran: Ran) -> tuple[Piece, ...]:
        """Return what a meter counted in the five minutes of a run, () where it was not read.

        It blocks.
        """
        first, last = ran.taken[0].start, ran.taken[-1].end
        start = int(first // HOUR * HOUR)
        end = int(-(-last // HOUR) * HOUR)
        series = self._keeper.archive.energy([meter_id], start, end)
        slots = Slots.of(start, end, INTERVAL)
        inside = (slots.ends > first) & (slots.starts < last)
        if series.known[0][inside].mean() < _READ:
            return ()
        powers = series.imported[0] / INTERVAL * 3600.0
        counted = np.flatnonzero(inside & (powers > _STANDBY))
        return joined(
            Piece(float(slots.starts[each]), float(slots.ends[each]), float(powers[each]))
            for each in counted.tolist()
        )


def _while_on(baseline: Sequence[Piece], taken: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return what light would have taken while it was on: that it was off is no saving."""
    return joined(
        Piece(max(full.start, on.start), min(full.end, on.end), full.power)
        for on in taken
        for full in baseline
        if full.start < on.end and full.end > on.start
    )


def _scaled(baseline: Sequence[Piece], taken: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return the course of a thermostat with as much energy as was really taken.

    What the model of a house is wrong by is no saving: only that the heat came at other hours is.
    """
    expected = sum(piece.energy for piece in baseline)
    if not expected > 0.0:
        return tuple(baseline)
    factor = sum(piece.energy for piece in taken) / expected
    return tuple(Piece(piece.start, piece.end, piece.power * factor) for piece in baseline)


def _compared_with(ran: Ran, baseline: tuple[Piece, ...]) -> Plan:
    """Return a plan that has nothing but what a run is compared with."""
    empty = np.empty(0)
    return Plan(
        slots=Slots(empty, empty),
        pieces=(),
        outcome=replace(_NOTHING, carbon=0.0),
        baseline=replace(_NOTHING, carbon=ran.saved),
        baseline_pieces=baseline,
        lower_bound=0.0,
        reason=Reason(kind=ReasonKind.MOVED),
    )
