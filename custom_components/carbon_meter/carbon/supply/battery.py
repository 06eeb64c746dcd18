"""The carbon in a battery: grams go in with the energy that charges it and come out with it.

The content is a tank. With efficiencies c and d, charging P Wh of intensity i adds c * P Wh
and P * i grams: losses raise the intensity of what is stored. Discharging P Wh takes P / d Wh
out of the tank and the same part of its grams. Energy that fades away in standby leaves its
grams behind (water-tank model, C-OPF, arXiv 2308.03240). Whatever happens, in grams,

    charged + opening = discharged + stored + written off
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, Self

from ..flow.amounts import ImpossibleAmountError, amount
from ..grade import BEST_FIRST, Grade

_EMPTY: Final = 1e-6
"""Wh; a content that has faded to this cannot carry its grams any more."""

_ROUNDING: Final = 1e-12
"""What is left of a portion, as a part of it, that is nothing but rounding."""

_MOST: Final = 10_000
"""Layers of a FIFO ledger; a day of charging at five minutes has 288."""


class Costing(StrEnum):
    """Which part of the content comes out first."""

    WEIGHTED_AVERAGE = "weighted_average"
    """All of it alike: for inventories."""

    FIFO = "fifo"
    """The oldest: as certificates of storage link discharge with charge (EnergyTag)."""


@dataclass(kw_only=True, slots=True)
class Portion:
    """Some energy in Wh with its carbon in g, and how well that is known."""

    energy: float
    carbon: float
    grade: Grade
    since: float | None = None
    """When it was charged, seconds since 1970 UTC; kept by FIFO only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """What one discharge brought: Wh as the meter counts it, and grams."""

    energy: float
    carbon: float
    parts: tuple[Portion, ...]
    """The same by where it came from: what each layer, or each grade, gave."""

    unbacked: float = 0.0
    """The part of the energy, Wh, that the ledger knew nothing of: weighed by the fallback."""


@dataclass(kw_only=True, slots=True)
class BatteryTotals:
    """The sums of a battery since its ledger began: energy in Wh, carbon in g."""

    charged: float = 0.0
    charged_carbon: float = 0.0
    discharged: float = 0.0
    discharged_carbon: float = 0.0
    unbacked: float = 0.0
    """Wh of the discharge that the ledger knew nothing of."""

    opening_carbon: float = 0.0
    """Grams of what was in the battery without having been seen charged."""

    written_off: float = 0.0
    """Grams whose energy faded away altogether."""


@dataclass(kw_only=True, slots=True)
class Battery:
    """The ledger of one battery.

    `charging` and `discharging` are the efficiencies, above 0 up to 1, between its meter and
    its cells. `capacity` in Wh bounds the content: what is charged beyond it was loss. With
    `standby` in W the content fades.

    Raises ImpossibleAmountError for parameters and amounts that cannot be.
    """

    charging: float
    discharging: float
    costing: Costing = Costing.WEIGHTED_AVERAGE
    capacity: float | None = None
    standby: float = 0.0
    totals: BatteryTotals = field(default_factory=BatteryTotals)
    _content: list[Portion] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse parameters that no battery has."""
        for name in ("charging", "discharging"):
            if not 0.0 < amount(name, getattr(self, name)) <= 1.0:
                raise ImpossibleAmountError(name, f"{getattr(self, name)} is no efficiency")
        amount("standby", self.standby)
        if self.capacity is not None and amount("capacity", self.capacity) == 0.0:
            raise ImpossibleAmountError("capacity", "a battery holds something")

    @property
    def stored(self) -> float:
        """Return the Wh in the cells."""
        return sum(portion.energy for portion in self._content)

    @property
    def carbon(self) -> float:
        """Return the grams in the cells."""
        return sum(portion.carbon for portion in self._content)

    @property
    def intensity(self) -> float | None:
        """Return gCO2eq/kWh of the content as it would come out, weighted; None when empty."""
        stored = self.stored
        return self.carbon / stored / self.discharging * 1000.0 if stored > 0.0 else None

    @property
    def content(self) -> tuple[Portion, ...]:
        """Return the content, the oldest first: by layer with FIFO, else by grade."""
        return tuple(self._content)

    def charge(self, portions: Iterable[Portion]) -> None:
        """Take energy as the battery's meter counts it, with the carbon of its mix."""
        taken = [portion for portion in portions if _is_something(portion)]
        for portion in taken:
            self._put(portion.energy * self.charging, portion.carbon, portion.grade, portion.since)
            self.totals.charged += portion.energy
            self.totals.charged_carbon += portion.carbon
        if self.capacity is not None and (stored := self.stored) > self.capacity:
            self._shrink(self.capacity / stored)

    def discharge(self, energy: float, *, fallback: float, grade: Grade = Grade.ESTIMATED) -> Drawn:
        """Give energy as the battery's meter counts it.

        What goes beyond the content (at the start the ledger knows nothing of what is in the
        battery) is weighed with `fallback` in gCO2eq/kWh, has `grade`, and is told apart.
        """
        energy, fallback = amount("energy", energy), amount("fallback", fallback)
        needed = energy / self.discharging
        parts = self._take(needed)
        backed = sum(part.energy for part in parts)
        unbacked = energy - backed
        if unbacked > energy * _ROUNDING:
            opening = Portion(energy=unbacked, carbon=unbacked * fallback / 1000.0, grade=grade)
            parts.append(opening)
            self.totals.unbacked += unbacked
            self.totals.opening_carbon += opening.carbon
        else:
            unbacked = 0.0
        carbon = sum(part.carbon for part in parts)
        self.totals.discharged += energy
        self.totals.discharged_carbon += carbon
        return Drawn(energy=energy, carbon=carbon, parts=tuple(parts), unbacked=unbacked)

    def idle(self, seconds: float) -> float:
        """Let the content fade; return the grams that no energy is left to carry."""
        lost = self.standby * amount("seconds", seconds) / 3600.0
        stored = self.stored
        if lost == 0.0 or stored == 0.0:
            return 0.0
        return self._fade(stored - lost, stored)

    def settle(self, stored: float, *, fallback: float, grade: Grade = Grade.ESTIMATED) -> float:
        """Take the Wh in the cells from who knows better, such as the battery's own electronics.

        Less than the ledger has was loss: the grams stay. More was there unseen and has the
        intensity of the content, or `fallback` in gCO2eq/kWh where there is none. Returns the
        grams that no energy is left to carry.
        """
        target, fallback = amount("stored", stored), amount("fallback", fallback)
        present = self.stored
        if target <= present:
            return self._fade(target, present)
        missing = target - present
        intensity = self.carbon / present * 1000.0 if present > 0.0 else fallback
        carbon = missing * intensity / 1000.0
        self._put(missing, carbon, grade, None)
        self.totals.opening_carbon += carbon
        return 0.0

    def _put(self, energy: float, carbon: float, grade: Grade, since: float | None) -> None:
        """Add to the content."""
        if self.costing is Costing.FIFO:
            self._content.append(Portion(energy=energy, carbon=carbon, grade=grade, since=since))
            if len(self._content) > _MOST:
                self._content[:2] = [_merged(self._content[:2])]
            return
        for portion in self._content:
            if portion.grade is grade:
                portion.energy += energy
                portion.carbon += carbon
                return
        self._content.append(Portion(energy=energy, carbon=carbon, grade=grade))

    def _take(self, needed: float) -> list[Portion]:
        """Remove Wh of the cells, as far as they are there; return them as the meter sees them."""
        stored = self.stored
        fifo = self.costing is Costing.FIFO
        everything = needed >= stored * (1.0 - _ROUNDING) and needed > 0.0
        fraction = 1.0 if everything else needed / stored if stored > 0.0 else 0.0
        taken: list[Portion] = []
        left: list[Portion] = []
        for portion in self._content:
            if fifo and not everything:
                fraction = 1.0 if portion.energy <= needed else needed / portion.energy
                needed = max(0.0, needed - portion.energy * fraction)
                fraction = 1.0 if fraction > 1.0 - _ROUNDING else fraction
            if fraction == 0.0:
                left.append(portion)
                continue
            part = Portion(
                energy=portion.energy * fraction * self.discharging,
                carbon=portion.carbon * fraction,
                grade=portion.grade,
                since=portion.since,
            )
            if part.energy == 0.0:
                # So little that no part of it is a number.
                left.append(portion)
                continue
            taken.append(part)
            if fraction < 1.0:
                portion.energy -= portion.energy * fraction
                portion.carbon -= part.carbon
                left.append(portion)
        self._content = left
        return taken

    def _shrink(self, fraction: float) -> None:
        """Lose a part of the energy and none of the carbon."""
        for portion in self._content:
            portion.energy *= fraction

    def _fade(self, target: float, present: float) -> float:
        """Let the energy fall to a target; return the grams that are written off."""
        if target > _EMPTY:
            self._shrink(target / present)
            return 0.0
        carbon = self.carbon
        self._content = []
        self.totals.written_off += carbon
        return carbon

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            "content": [
                [portion.energy, portion.carbon, portion.grade.value, portion.since]
                for portion in self._content
            ],
            "totals": {
                entry.name: getattr(self.totals, entry.name) for entry in fields(self.totals)
            },
        }

    def restore(self, data: Mapping[str, Any]) -> Self:
        """Take what `as_dict` gave before a restart; return the battery itself.

        Raises ImpossibleAmountError for contents that cannot be.
        """
        self._content = []
        for energy, carbon, grade, since in data["content"]:
            self._put(amount("energy", energy), amount("carbon", carbon), Grade(grade), since)
        self.totals = BatteryTotals(
            **{
                entry.name: amount(entry.name, data["totals"][entry.name])
                for entry in fields(BatteryTotals)
            }
        )
        return self


def _is_something(portion: Portion) -> bool:
    """Return whether there is energy in a portion; refuse one that cannot be."""
    energy, carbon = amount("energy", portion.energy), amount("carbon", portion.carbon)
    if energy == 0.0 and carbon > 0.0:
        raise ImpossibleAmountError("carbon", f"{carbon} g came without energy")
    return energy > 0.0


def _merged(portions: Sequence[Portion]) -> Portion:
    """Return portions as one, as old as the oldest and as well known as the least known."""
    return Portion(
        energy=sum(portion.energy for portion in portions),
        carbon=sum(portion.carbon for portion in portions),
        grade=max((portion.grade for portion in portions), key=BEST_FIRST.index),
        since=portions[0].since,
    )
