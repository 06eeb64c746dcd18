"""Which unit ids of a Modbus line are asked, and when to stop.

A line is a meter with a network port of its own, a gateway with a bus behind it, or an
inverter that passes its meter on. Each unit id is asked once, one after the other.
"""

import asyncio
from collections.abc import Awaitable, Callable
import time
from typing import Final

from ..candidate import Identification
from ..errors import (
    MeterError,
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)

type Ask = Callable[[int], Awaitable[Identification]]
"""Identify what has a unit id. Raises MeterError."""

COMMON_UNITS: Final = (1, 2, 3, 71, 126, 200, 201, 202, 203, 204, 240)
"""Where meters and the meters behind inverters mostly are. Source: evcc, `detect`."""

EVERY_UNIT: Final = range(1, 248)
"""The unit ids of a bus. Source: MODBUS over Serial Line Specification V1.02, 2.2."""

COMMON_LIMIT: Final = 90.0
"""Seconds for the usual unit ids of a line."""

EVERY_LIMIT: Final = 900.0
"""Seconds for all unit ids of a line."""

_UNLIKELY_UNIT: Final = 247
"""Who answers to this as well answers to any."""

_QUICK: Final = 0.3
"""Seconds in which a gateway knows that a unit does not exist, without waiting for it."""

_SILENCES_OF_NOBODY: Final = 3
"""Unit ids without an answer after which nobody is thought to be there."""

PAUSE: Final = 0.05
"""Seconds between two unit ids, in which other users of the line have their turn.

Between the 40 ms of mbmd and the 100 ms of evcc.
"""


class UnitSearch:
    """The search of one line. After `run`, `found` are the units that answered.

    `ask` is called with one unit id at a time. The usual ids come first. The others
    follow when `every_unit` is wanted, or when a gateway says at once which units it
    does not have. A line that is silent to the first ids is left alone unless every unit
    is wanted, and so is a meter that answers to any unit id: it is all that there is.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        every_unit: bool = False,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask nothing yet; `clock` gives seconds."""
        self.found: list[tuple[int, Identification]] = []
        self.complete = True
        """Whether no unit id was left out for want of time."""

        self._ask = ask
        self._every_unit = every_unit
        self._pause = pause
        self._clock = clock
        self._asked: set[int] = set()
        self._silences = 0
        self._quick_refusals = False
        self._spoken = False
        self._over = False
        self._any_unit_tested = False
        self._answers_any = False

    async def run(self, progress: Callable[[float], None] | None = None) -> None:
        """Ask the line; `progress` is called with the part that is done, from 0 to 1."""
        began = self._clock()
        for unit in (*COMMON_UNITS, *EVERY_UNIT):
            if unit in self._asked:
                continue
            usual = unit in COMMON_UNITS
            if self._over or not (usual or self._sweeps):
                break
            limit = EVERY_LIMIT if self._sweeps else COMMON_LIMIT
            if self._clock() - began > limit:
                self.complete = False
                break
            await self._ask_once(unit)
            if progress is not None:
                progress(len(self._asked) / len(EVERY_UNIT if self._sweeps else COMMON_UNITS))
            if not usual and not self._over:
                await asyncio.sleep(self._pause)

    @property
    def _sweeps(self) -> bool:
        """Return whether all unit ids are asked."""
        return self._every_unit or self._quick_refusals

    async def _ask_once(self, unit: int) -> None:
        """Ask one unit id and draw the conclusions."""
        self._asked.add(unit)
        began = self._clock()
        try:
            said = await self._ask(unit)
        except MeterRejectedError as err:
            self._spoken = True
            self._silences = 0
            if err.is_about_unit and self._clock() - began < _QUICK:
                self._quick_refusals = True
        except MeterGarbledError:
            # What does not speak Modbus to one unit id does not to another.
            self._over = not self._spoken
        except MeterSilentError, MeterUnreachableError:
            self._silences += 1
            self._over = (
                self._silences >= _SILENCES_OF_NOBODY and not self._spoken and not self._every_unit
            )
        except MeterError:
            return
        else:
            self._spoken = True
            self._silences = 0
            self.found.append((unit, said))
            await self._test_any_unit()

    async def _test_any_unit(self) -> None:
        """Find out whether two alike are one that does not look at the unit id.

        Such a meter is all that there is. Another such device may pass other units on.
        """
        (_, first), (unit, last) = self.found[0], self.found[-1]
        if len(self.found) < 2 or not _alike(first, last):
            return
        if not self._any_unit_tested and unit != _UNLIKELY_UNIT:
            self._any_unit_tested = True
            self._answers_any = await self._is_alike(_UNLIKELY_UNIT, first)
        if self._answers_any:
            self.found[1:] = [each for each in self.found[1:] if not _alike(first, each[1])]
            self._every_unit = self._quick_refusals = False
            self._over = bool(first.candidates)

    async def _is_alike(self, unit: int, first: Identification) -> bool:
        """Return whether the same answers to another unit id; who else answers is kept."""
        if unit in self._asked:
            return False
        self._asked.add(unit)
        try:
            said = await self._ask(unit)
        except MeterError:
            return False
        if _alike(first, said):
            return True
        self.found.append((unit, said))
        return False


def _alike(one: Identification, other: Identification) -> bool:
    """Return whether two answers can be of one device: a meter of both, with one number."""
    meters, others = (
        {(found.profile.id, found.serial) for found in said.candidates} for said in (one, other)
    )
    return bool(meters & others) or not (meters or others)
