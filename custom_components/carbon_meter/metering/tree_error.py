"""The error of a tree of meters: a parent against the meters behind it.

What a parent counts and its children do not is no error: it is the load that has no meter of
its own. It is an error when the children count more than the parent, beyond what their class
lets them err: energy cannot come from nowhere. Both are told, and never mixed.

With the energy W of each meter net (import less export) over the same window:

    supplied = W_parent + sum of W over the children that feed the node (solar)
    drawn    = sum of W over the other children (a battery is negative while it feeds)
    residual = supplied - drawn

    unmetered  = residual where it is positive
    impossible = -residual - tolerance where that is positive
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .metering_error import CountedEnergy, EnergyAudit
from .rolling import HOUR

CLASS_ERROR: Final = 0.035
"""The largest permissible error of the least exact class, A, from 5 to 30 °C: 3.5 % (Directive
2014/32/EU, Annex V, table 2; B has 2 %, C 0.7 %; IEC 62053-21 class 2 has 2 %)."""

_COVERED: Final = 0.9
"""Part of a window that readings account for in a meter that takes part."""

_LAG: Final = 0.5
"""Part of a window by which a meter that is asked seldom may be behind; more is silence."""

_POORLY_KNOWN: Final = 0.25
"""Part of the supply that the tolerance may be for a percentage to mean something."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """A meter behind another one."""

    audit: EnergyAudit
    feeds: bool = False
    """Whether what it imports flows into the node: the meter of a generator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeError:
    """A node of the tree in one window. Energies in Wh."""

    until: int
    """End of the window, seconds since 1970 UTC."""

    length: int
    """Seconds."""

    parent: float
    """Net energy of the parent."""

    supplied: float
    """What came into the node: the parent and the children that feed it."""

    drawn: float
    """What the other children took out of it."""

    tolerance: float
    """By how much all of them together may err."""

    missing: tuple[str, ...]
    """Children with gaps in the window, which are left out: their load is in the residual."""

    @property
    def residual(self) -> float:
        """Return what came in and was not seen going out; negative where more went out."""
        return self.supplied - self.drawn

    @property
    def unmetered(self) -> float:
        """Return the load that no child counts."""
        return max(0.0, self.residual)

    @property
    def impossible(self) -> float | None:
        """Return what the children count too much; None where one is missing: it may feed."""
        return None if self.missing else max(0.0, -self.residual - self.tolerance)

    @property
    def residual_percent(self) -> float | None:
        """Return the residual in per cent of the supply, None where that is too small to tell."""
        return self._percent(self.residual)

    @property
    def impossible_percent(self) -> float | None:
        """Return the impossible part in per cent of the supply, None where it is not known."""
        return None if self.impossible is None else self._percent(self.impossible)

    def _percent(self, energy: float) -> float | None:
        """Return an energy in per cent of the supply."""
        if self.supplied <= 0 or self.tolerance > _POORLY_KNOWN * self.supplied:
            return None
        return 100 * energy / self.supplied


def tree_error(
    parent: EnergyAudit, children: Mapping[str, Child], length: int = HOUR
) -> TreeError | None:
    """Return a parent less its children over the last hour or day (`HOUR`, `DAY`).

    The window ends where the last of the meters has come to, so that all of them are taken
    over the same time; one that is more than half a window behind is missing. None where the
    parent itself has gaps, or nobody is behind it.
    """
    latest = parent.last_complete(length)
    if latest is None or not children:
        return None
    until = latest
    reached = {name: child.audit.last_complete(length) for name, child in children.items()}
    for end in reached.values():
        if end is not None and end >= latest - _LAG * length:
            until = min(until, end)
    whole = parent.counted(until, length)
    if whole.coverage < _COVERED:
        return None
    supplied, drawn = whole.net, 0.0
    tolerance = _tolerance(whole)
    missing: list[str] = []
    for name, child in children.items():
        energy = child.audit.counted(until, length)
        end = reached[name]
        if end is None or end < until or energy.coverage < _COVERED:
            missing.append(name)
            continue
        tolerance += _tolerance(energy)
        if child.feeds:
            supplied += energy.net
        else:
            drawn += energy.net
    return TreeError(
        until=until,
        length=length,
        parent=whole.net,
        supplied=supplied,
        drawn=drawn,
        tolerance=tolerance,
        missing=tuple(missing),
    )


def _tolerance(energy: CountedEnergy) -> float:
    """Return by how many Wh a meter may err: its class, and the steps of its counters."""
    return CLASS_ERROR * energy.gross + energy.grain
