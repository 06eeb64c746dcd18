"""The error of a meter against itself: its counters against the integral of its power.

The percentage error of a meter (IEC 62052-11) is

    e = (W_registered - W_true) / W_true * 100 %

Here W_registered is what the counters moved by and W_true the integral of the power that the
same meter said, over the same stretches of time. Both come from one instrument, so that it
shows what goes wrong between them (a counter that stands still or jumps, a wrong scale, a
wrong current transformer ratio on one of them, too seldom a sample), not the calibration.

The integral is the trapezoidal rule. A load that is switched at any moment between two
samples is worth half the interval on average, which is what the rule gives; to hold the last
value gives nothing or all of it and lags half an interval behind every slope. It takes samples
that come regularly: stretches longer than a few polls are not compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any, Final, Self

from .readings import Reading
from .rolling import DAY, HOUR, RollingSums

_PARTS: Final = {HOUR: 12, DAY: 48}

_POORLY_COVERED: Final = 0.9
"""Part of the window below which its error is not told."""

_POORLY_KNOWN: Final = 0.25
"""Part of the energy that the uncertainty may be; beyond it a percentage would tell of it alone."""

_COARSEST: Final = 1000.0
_FINEST: Final = 0.1
"""Wh; steps in which counters move, powers of ten between these."""

_ROUNDING: Final = 3e-7
"""Relative; what a 32-bit float leaves of a number (2^-23 is 1.2e-7)."""

_TOLERANCE: Final = 0.5
"""Wh by which a counter of floats may run back."""

_EXPANDED: Final = 2.0
"""Standard deviations that the uncertainty stands for: 95 % (ISO/IEC Guide 98-3)."""

# Places of the figures in a slot.
_TIME, _NET, _GROSS, _COMPARED, _COUNTED, _INTEGRAL, _FLOW, _VARIANCE, _RUNS = range(9)
_GRAIN, _STEP, _SPACING = range(9, 12)
_WIDTH: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnError:
    """A meter's counters against the integral of its power, in one window."""

    until: int
    """End of the window, seconds since 1970 UTC."""

    length: int
    """Seconds."""

    counted: float
    """Wh by which the counters moved, import less export, where they can be compared."""

    integrated: float
    """Wh that the power makes in the same time."""

    flow: float
    """Wh that the size of the power makes, whichever way it flows."""

    uncertainty: float
    """Wh within which both agree in 95 of 100 cases: what lay between the samples, and the
    steps in which the counters move."""

    compared: float
    """Seconds of the window in which both are known."""

    @property
    def coverage(self) -> float:
        """Return the part of the window in which both are known, from 0 to 1."""
        return min(1.0, self.compared / self.length)

    @property
    def difference(self) -> float:
        """Return by how many Wh the counters moved more than the power makes."""
        return self.counted - self.integrated

    @property
    def error(self) -> float | None:
        """Return the difference in Wh, None where too little of the window is known."""
        return self.difference if self.coverage >= _POORLY_COVERED else None

    @property
    def percent(self) -> float | None:
        """Return the percentage error, None where the energy is too small to tell one."""
        reference = abs(self.integrated)
        if self.error is None or not reference or self.uncertainty > _POORLY_KNOWN * reference:
            return None
        return 100 * self.difference / reference

    @property
    def percent_uncertainty(self) -> float | None:
        """Return the uncertainty of the percentage, in its unit; None where there is none."""
        if self.percent is None:
            return None
        return 100 * self.uncertainty / abs(self.integrated)


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedEnergy:
    """What the counters of a meter moved by in one window."""

    net: float
    """Wh, import less export."""

    gross: float
    """Wh, import and export."""

    grain: float
    """Wh in which the counters move."""

    coverage: float
    """Part of the window that readings account for, from 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said:
    """What of a reading counts here."""

    time: float
    imported: float
    exported: float | None
    power: float | None


class EnergyAudit:
    """Follows the counters and the power of one meter over the last hour and day.

    `longest` in seconds is how long two readings may be apart, a few intervals of the meter;
    `max_power` in W bounds what its counters can have counted: what is beyond is a reset or
    a jump, which the account sets apart.
    """

    def __init__(self, *, longest: float, max_power: float) -> None:
        """Start without a reading."""
        self._longest = longest
        self._max_power = max_power
        self._windows = {
            length: RollingSums(length=length, parts=parts, width=_WIDTH, maxima=3)
            for length, parts in _PARTS.items()
        }
        self._last: _Said | None = None
        self._resolution = _COARSEST
        self._stood = 0.0
        self._running = False

    @property
    def observed_until(self) -> float | None:
        """Return the time of the last reading with counters, None before the first."""
        return None if self._last is None else self._last.time

    def observe(self, reading: Reading) -> None:
        """Take a reading; one without the import counter says nothing here."""
        values = reading.values
        imported = values.get("energy_import")
        if imported is None or not math.isfinite(imported):
            return
        said = _Said(
            time=reading.time,
            imported=imported,
            exported=_finite(values.get("energy_export")),
            power=_finite(values.get("power")),
        )
        self._resolve(said.imported)
        if said.exported:
            self._resolve(said.exported)
        last, self._last = self._last, said
        if last is None:
            return
        spacing = said.time - last.time
        if spacing <= 0:
            if spacing < 0:
                for window in self._windows.values():
                    window.forget_from(said.time)
            self._running = False
            return
        self._compare(last, said, spacing)

    def _compare(self, last: _Said, said: _Said, spacing: float) -> None:
        """Add what lies between two readings to the windows."""
        growth = self._growth(last, said, spacing)
        if growth is None:
            self._running = False
            return
        up, down = growth
        known = spacing <= self._longest
        figures = [0.0] * _WIDTH
        figures[_TIME] = spacing if known else 0.0
        figures[_NET] = up - down
        figures[_GROSS] = up + down
        figures[_GRAIN] = self._resolution
        if known and last.power is not None and said.power is not None:
            # Without a counter for it, export is not in the counted energy either.
            first, second = last.power, said.power
            if said.exported is None or last.exported is None:
                first, second = max(first, 0.0), max(second, 0.0)
            flow = (abs(first) + abs(second)) / 2 * spacing / HOUR
            figures[_COMPARED] = spacing
            figures[_COUNTED] = up - down
            figures[_INTEGRAL] = (first + second) / 2 * spacing / HOUR
            figures[_FLOW] = flow
            figures[_VARIANCE] = ((second - first) * spacing / HOUR) ** 2 / 2
            figures[_RUNS] = 0.0 if self._running else 1.0
            figures[_GRAIN] = self._grain(up + down, flow)
            figures[_STEP] = abs(second - first)
            figures[_SPACING] = spacing
            self._running = True
        else:
            self._running = False
            self._stood = 0.0
        for window in self._windows.values():
            window.add(last.time, said.time, figures)

    def _growth(self, last: _Said, said: _Said, spacing: float) -> tuple[float, float] | None:
        """Return by how many Wh import and export grew, None where one did something else."""
        up = said.imported - last.imported
        down = 0.0
        if said.exported is not None and last.exported is not None:
            down = said.exported - last.exported
        power = min(abs(last.power or 0.0), abs(said.power or 0.0))
        most = max(self._max_power, 2 * power) * spacing / HOUR + self._resolution
        least = -max(_TOLERANCE, _ROUNDING * max(said.imported, said.exported or 0.0))
        return (up, down) if least <= up <= most and least <= down <= most else None

    def _grain(self, growth: float, flow: float) -> float:
        """Return the Wh in which the counters move: their resolution, or what flowed unseen.

        Some meters bring their counters up to date once a minute only.
        """
        if growth <= 0:
            self._stood += flow
            return self._resolution
        stood, self._stood = self._stood, 0.0
        return max(self._resolution, stood + flow) if stood else self._resolution

    def _resolve(self, value: float) -> None:
        """Learn the coarsest power of ten that every value of a counter is a multiple of."""
        while self._resolution > _FINEST and (
            abs(value - round(value / self._resolution) * self._resolution) > abs(value) * _ROUNDING
        ):
            self._resolution /= 10

    def own_error(self, length: int = HOUR) -> OwnError | None:
        """Return the error over the last hour or day (`HOUR`, `DAY`), None without a reading.

        The window ends with the last slot that is over, five minutes or half an hour long.

        The uncertainty adds up two parts. Between the samples: the load is at worst another
        one at every sample, its variance then half the mean square of successive differences
        (von Neumann et al., Annals of Mathematical Statistics 12, 1941), and the greatest
        step of the day may have come and gone once unseen. Of the counters: the steps in which
        they move, once for the window and once more for each time that the comparison began anew.
        """
        if self._last is None:
            return None
        window = self._windows[length]
        until = window.last_complete(self._last.time)
        sums = window.window(until)
        day = self._windows[DAY]
        step = max(sums[_STEP], day.window(day.last_complete(self._last.time))[_STEP])
        unseen = step * sums[_SPACING] / HOUR
        sampling = math.sqrt(_EXPANDED**2 * sums[_VARIANCE] + unseen**2)
        return OwnError(
            until=until,
            length=length,
            counted=sums[_COUNTED],
            integrated=sums[_INTEGRAL],
            flow=sums[_FLOW],
            uncertainty=sampling + sums[_GRAIN] * (1 + sums[_RUNS]),
            compared=sums[_COMPARED],
        )

    def counted(self, until: int, length: int = HOUR) -> CountedEnergy:
        """Return what the counters moved by in the window that ends at `until`.

        Energy of a gap is spread evenly over it and not covered.
        """
        sums = self._windows[length].window(until)
        return CountedEnergy(
            net=sums[_NET],
            gross=sums[_GROSS],
            grain=max(sums[_GRAIN], self._resolution),
            coverage=min(1.0, sums[_TIME] / length),
        )

    def last_complete(self, length: int = HOUR) -> int | None:
        """Return the end of the last slot that the readings reach, None without any."""
        if self._last is None:
            return None
        return self._windows[length].last_complete(self._last.time)

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        last = self._last
        return {
            "last": None if last is None else [last.time, last.imported, last.exported, last.power],
            "resolution": self._resolution,
            "stood": self._stood,
            "running": self._running,
            "windows": {str(length): window.as_dict() for length, window in self._windows.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, longest: float, max_power: float) -> Self:
        """Return the audit as it was stored."""
        audit = cls(longest=longest, max_power=max_power)
        if data["last"] is not None:
            time, imported, exported, power = data["last"]
            audit._last = _Said(time=time, imported=imported, exported=exported, power=power)
        audit._resolution = data["resolution"]
        audit._stood = data["stood"]
        audit._running = data["running"]
        for length, window in audit._windows.items():
            window.restore(data["windows"].get(str(length), {}))
        return audit


def _finite(value: float | None) -> float | None:
    """Return a value that can be reckoned with, else None."""
    return value if value is not None and math.isfinite(value) else None
