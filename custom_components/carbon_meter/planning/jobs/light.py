"""Light that is dimmed a little while carbon, or the price, is worst."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ...carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from ..alternatives import Zone
from ..decision import is_better
from ..objective import SAME, Objective
from ..plan import Margin, Piece, Plan, Reason, ReasonKind, Weighing
from ..signal import Signal
from ..slot_powers import pieces_of
from ..slots import Slots
from ..window import inside
from ..zones import Adjustment, LightZone
from .daily import Daily
from .held import Held, flag
from .job import NO_TARGET, Around, Planned, Seen, Stretches, Target
from .rolling import RollingTask, reach
from .schedule import Schedule
from .taken import power_of
from .times import is_moment
from .watch import place_of

_STAYS: Final = 900.0
"""s between two changes of the light."""

_FULL: Final = 100.0
"""Per cent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LightSettings:
    """What is known of the light of a zone: `power` in W, the rest as parts, 0 to 1.

    `dim` is what remains of the light in the `peak`, the worst part of the lit hours, and
    `dim_least` what has to remain. Raises ImpossibleAmountError for what cannot be.
    """

    name: str
    power: float
    zone: tzinfo
    dim: float = 0.8
    dim_least: float = 0.5
    peak: float = 0.25
    lit: Schedule | None = None
    """When it is lit; None: always."""

    horizon: float = 24.0
    """h that are planned."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        amount("power", self.power)
        for name in ("dim", "dim_least", "peak"):
            if amount(name, getattr(self, name)) > 1.0:
                raise ImpossibleAmountError(name, f"{getattr(self, name)} is more than all")
        if amount("horizon", self.horizon) == 0.0:
            raise ImpossibleAmountError("horizon", "nothing is planned in no time")

    @property
    def remaining(self) -> float:
        """Return the part of the light that remains when it is dimmed."""
        return max(self.dim, self.dim_least)

    def lit_within(self, start: float, end: float) -> Stretches:
        """Return when it is lit."""
        return ((start, end),) if self.lit is None else self.lit.within(start, end)

    def full(self, slots: Slots) -> FloatArray:
        """Return the W that it takes in each slot when it is not dimmed."""
        if len(slots) == 0:
            return np.zeros(0)
        lit = inside(slots, self.lit_within(slots.start, slots.end))
        return np.where(lit, self.power, 0.0)


class LightJob:
    """Dims the light in the worst part of the hours that it is lit."""

    def __init__(self, settings: LightSettings) -> None:
        """Start with light that is not dimmed."""
        self.settings = settings
        self._dimmed: Held[bool] = Held(_STAYS)
        self._daily = Daily(settings.zone)

    def see(self, seen: Seen) -> bool:
        """Take what is seen; nothing of it makes for a new plan."""
        if is_moment(seen.moment):
            self._daily.see(seen.moment, power_of(seen, self.settings.power))
        return False

    def task(self, now: float, around: Around) -> RollingTask | None:
        """Return what is to be planned now."""
        if not is_moment(now):
            return None
        end = reach(around.signal, now, self.settings.horizon)
        edges = {each for part in self.settings.lit_within(now, end) for each in part}
        return RollingTask(
            start=now,
            end=end,
            made=partial(_member, self.settings, around),
            planner=_Planner(settings=self.settings),
            marks=tuple(sorted(edges)),
        )

    def member(self, around: Around, start_level: float | None) -> Zone:
        """Return what takes part in a simulation over a signal; it has no level."""
        del start_level
        return _member(self.settings, around)

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return how bright it should be at a moment of its plan.

        Without a plan what was dimmed is let go, and else nothing is said.
        """
        place = None if planned is None else place_of(planned, now)
        if planned is None or planned.shares is None or place is None:
            was_dimmed = self._dimmed.value
            self._dimmed.forget()
            return Target(brightness=_FULL) if was_dimmed else NO_TARGET
        dimmed = self._dimmed.take(float(planned.shares[place]) < 1.0, now)
        return Target(brightness=_FULL * (self.settings.remaining if dimmed else 1.0))

    def done(self) -> tuple[Piece, ...] | None:
        """Return what was taken on a local day that is over, once."""
        return self._daily.done()

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {"dimmed": self._dimmed.as_dict(), "daily": self._daily.as_dict()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
        dimmed: Held[bool] = Held(_STAYS)
        dimmed.restore(data["dimmed"], flag)
        daily = Daily(self.settings.zone)
        daily.restore(data["daily"])
        self._dimmed, self._daily = dimmed, daily


@dataclass(frozen=True, kw_only=True, slots=True)
class _Planner:
    """Plans the light of a zone."""

    settings: LightSettings

    def __call__(self, signal: Signal, objective: Objective, margin: Margin) -> Planned:
        """Return its plan: full light, but where it is lit and worse than the mean."""
        settings, slots = self.settings, signal.slots
        weighing = Weighing.of(signal, objective)
        weights, known = weighing.weights.first, weighing.weights.known
        full = settings.full(slots)
        light = LightZone(name=settings.name, powers=full, least=settings.dim_least)
        peak = Adjustment(dim=settings.dim, peak=settings.peak)
        lit = (full > 0.0) & known
        powers, most = np.array(full), 0.0
        if lit.any():
            mean = float(np.average(weights[lit], weights=slots.hours[lit]))
            worse = lit & (weights > mean + SAME * abs(mean))
            used = light.used(slots, np.where(known, weights, -np.inf), peak).powers
            powers = np.where(worse, used, full)
            hours = settings.peak * float(slots.hours[lit].sum())
            most = (1.0 - settings.remaining) * settings.power * _most(weights, slots, worse, hours)
        dimmed, usual = pieces_of(slots, powers), pieces_of(slots, full)
        outcome, baseline = weighing.outcome(dimmed), weighing.outcome(usual)
        kind = _kind(is_lit=bool(usual), is_known=bool(lit.any()))
        if kind is ReasonKind.MOVED and not is_better(outcome, baseline, margin):
            kind, powers, dimmed, outcome = ReasonKind.NO_BENEFIT, full, usual, baseline
        shares = np.divide(powers, full, out=np.ones(len(slots)), where=full > 0.0)
        numbers = {
            "light": settings.remaining,
            "dimmed": float(slots.hours[shares < 1.0].sum()) * 3600.0,
        }
        if numbers["dimmed"]:
            numbers["first"] = float(slots.starts[shares < 1.0][0])
        plan = Plan(
            slots=slots,
            pieces=dimmed,
            outcome=outcome,
            baseline=baseline,
            baseline_pieces=usual,
            lower_bound=min(baseline.value - most, outcome.value),
            reason=Reason(kind=kind, numbers=numbers),
        )
        return Planned(plan=plan, shares=shares)


def _member(settings: LightSettings, around: Around) -> Zone:
    """Return what takes part in a simulation."""
    powers = settings.full(around.signal.slots)
    return Zone(LightZone(name=settings.name, powers=powers, least=settings.dim_least))


def _kind(*, is_lit: bool, is_known: bool) -> ReasonKind:
    """Return why a plan is as it is, where dimming gains something."""
    if not is_lit:
        return ReasonKind.NOTHING_TO_DO
    return ReasonKind.MOVED if is_known else ReasonKind.NOT_KNOWN


def _most(weights: FloatArray, slots: Slots, worse: NDArray[np.bool_], hours: float) -> float:
    """Return what a W less saves at the most in so many of the hours that are worse."""
    order = np.flatnonzero(worse)[np.argsort(-weights[worse], kind="stable")]
    until = np.minimum(np.cumsum(slots.hours[order]), hours)
    return float(weights[order] @ np.diff(until, prepend=0.0))
