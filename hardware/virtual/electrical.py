"""What a meter sees of a flow: voltage, current, apparent power, power factor, frequency.

Everything fits together: per phase P = U·I·PF and S² = P² + Q², at every moment.
"""

from cmath import rect
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import math
from types import MappingProxyType
from typing import Final

from .integral import Flow, Phases

_THIRD: Final = 2 * math.pi / 3
_NAMES: Final = ("l1", "l2", "l3")


class Wiring(StrEnum):
    """How a meter is connected."""

    SINGLE = "single"
    """Line and neutral."""

    SPLIT = "split"
    """Two lines in opposite phase and neutral."""

    WYE = "wye"
    """Three lines and neutral."""

    DELTA = "delta"
    """Three lines without neutral."""


type Mix = tuple[Phases, Phases, Phases]

MIXES: Final[Mapping[Wiring, Mix]] = MappingProxyType(
    {
        Wiring.SINGLE: ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        Wiring.SPLIT: ((1.0, 0.0, 0.5), (0.0, 1.0, 0.5), (0.0, 0.0, 0.0)),
        Wiring.WYE: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        Wiring.DELTA: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    }
)
"""Which of the household's phases go through which of the meter's."""

_LINES: Final[Mapping[Wiring, int]] = MappingProxyType(
    {Wiring.SINGLE: 1, Wiring.SPLIT: 2, Wiring.WYE: 3, Wiring.DELTA: 3}
)


def line_names(wiring: Wiring) -> tuple[str, ...]:
    """Return the names of the lines that a meter has, as in `power_l1`."""
    return _NAMES[: _LINES[wiring]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Supply:
    """The grid's voltage and frequency, with the small unrest that real ones have."""

    nominal: float = 230.0
    """V between line and neutral."""

    hertz: float = 50.0
    impedance: float = 0.2
    """Ohm between transformer and meter: load pulls the voltage down, solar power lifts it."""

    unrest: float = 1.0
    """0 for a voltage and a frequency that never move."""

    seed: int = 0

    def voltage(self, line: int, watts: float, at: float) -> float:
        """Return the voltage of line 0, 1 or 2 to neutral in V under a load in W."""
        phase = self.seed + 1.7 * line
        wave = 0.008 * math.sin(at / 13751 + phase) + 0.003 * math.sin(at / 97.3 + 2 * phase)
        wave += 0.0008 * math.sin(at / 1.37 + 3 * phase)
        drop = self.impedance * watts / self.nominal
        # No house pulls its street down by more than a tenth.
        limit = 0.1 * self.nominal
        return self.nominal * (1 + self.unrest * wave) - max(-limit, min(limit, drop))

    def frequency(self, at: float) -> float:
        """Return the frequency in Hz."""
        wave = 0.025 * math.sin(at / 211 + self.seed) + 0.008 * math.sin(at / 17.9)
        return self.hertz + self.unrest * wave

    def quantities(self, flow: Flow, wiring: Wiring, at: float) -> dict[str, float]:
        """Return every instantaneous quantity by key, in the units of `QUANTITIES`.

        A meter without a neutral does not know the voltages against it.
        """
        names = line_names(wiring)
        lines = [
            _Line(watts=watts, var=var, volts=self.voltage(number, watts, at))
            for number, (watts, var, _) in enumerate(
                zip(flow.active, flow.reactive, names, strict=False)
            )
        ]
        values: dict[str, float] = {"frequency": self.frequency(at)}
        for name, line in zip(names, lines, strict=True):
            values[f"power_{name}"] = line.watts
            values[f"reactive_power_{name}"] = line.var
            values[f"apparent_power_{name}"] = line.apparent
            values[f"power_factor_{name}"] = _factor(line.watts, line.apparent)
            values[f"current_{name}"] = line.amperes
            values[f"voltage_{name}"] = line.volts
        power = math.fsum(line.watts for line in lines)
        reactive = math.fsum(line.var for line in lines)
        apparent = math.fsum(line.apparent for line in lines)
        amperes = math.fsum(line.amperes for line in lines)
        values["power"] = power
        values["reactive_power"] = reactive
        values["apparent_power"] = apparent
        values["power_factor"] = _factor(power, apparent)
        values["current"] = amperes
        values["current_avg"] = amperes / len(lines)
        values["voltage"] = math.fsum(line.volts for line in lines) / len(lines)
        values |= _between_lines(lines, wiring)
        if wiring is Wiring.DELTA:
            for key in ("voltage", "voltage_l1", "voltage_l2", "voltage_l3", "current_n"):
                values.pop(key, None)
        return values


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    watts: float
    var: float
    volts: float

    @property
    def apparent(self) -> float:
        return math.hypot(self.watts, self.var)

    @property
    def amperes(self) -> float:
        return self.apparent / self.volts


def _factor(watts: float, apparent: float) -> float:
    """Return the power factor with the sign of the power; 1 where nothing flows."""
    return watts / apparent if apparent else 1.0


def _between_lines(lines: list[_Line], wiring: Wiring) -> dict[str, float]:
    """Return the voltages between the lines and the current in the neutral."""
    if wiring is Wiring.SINGLE:
        return {"current_n": lines[0].amperes}
    angles: tuple[float, ...]
    pairs: tuple[tuple[int, int, str], ...]
    if wiring is Wiring.SPLIT:
        angles = (0.0, math.pi)
        pairs = ((0, 1, "l1_l2"),)
    else:
        angles = (0.0, -_THIRD, _THIRD)
        pairs = ((0, 1, "l1_l2"), (1, 2, "l2_l3"), (2, 0, "l3_l1"))
    tips = [rect(line.volts, angle) for line, angle in zip(lines, angles, strict=True)]
    values = {f"voltage_{name}": abs(tips[a] - tips[b]) for a, b, name in pairs}
    values["voltage_ll"] = math.fsum(values.values()) / len(values)
    currents = [
        complex(line.watts, -line.var) / line.volts * rect(1, angle)
        for line, angle in zip(lines, angles, strict=True)
    ]
    values["current_n"] = abs(sum(currents))
    return values
