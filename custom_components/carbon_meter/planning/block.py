"""One run without a pause, of any course of power, at the best moment.

The cost of a run is a function of when it starts, f(s). With W(t) the integral of the weights up
to t and a profile whose power changes by d[j] at b[j] seconds after the start,

    f(s) = - sum over j of d[j] * W(s + b[j])

W is piecewise linear, and so is f; its least value is at a breakpoint: where an edge of a slot
falls on a change of the power. All of them are tried, not only the starts of slots. Seconds in
quiet hours and energy in slots without a forecast are functions of the same form, kept apart
from the cost and compared before it.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np

from ..carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount, amounts
from .decision import decided
from .integral import Integral
from .objective import SAME, Objective, best
from .plan import NO_MARGIN, Margin, Piece, Plan, Relaxed, Wish, joined
from .signal import Signal
from .window import Course, Window

_FEW: Final = 10_000
"""Edges times changes of power, each with each, that are tried one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The power in W of a run from its start on, one for each `step` seconds.

    Raises ImpossibleAmountError for powers that are negative or not finite, and for a step that
    is not above 0.
    """

    powers: FloatArray
    step: float

    def __post_init__(self) -> None:
        """Refuse what no appliance does."""
        if amounts("powers", self.powers).ndim != 1 or len(self.powers) == 0:
            raise ImpossibleAmountError("powers", "a profile is a row of powers")
        if amount("step", self.step) == 0.0:
            raise ImpossibleAmountError("step", "a step takes time")

    @classmethod
    def of(cls, powers: Any, step: float) -> Self:
        """Return the profile of powers in W, `step` seconds each."""
        return cls(amounts("powers", powers), amount("step", step))

    @classmethod
    def flat(cls, power: float, duration: float) -> Self:
        """Return the profile of one power in W for so many seconds."""
        return cls.of([power], duration)

    @property
    def duration(self) -> float:
        """Return how long a run takes in seconds."""
        return self.step * len(self.powers)

    @property
    def energy(self) -> float:
        """Return the energy of a run in Wh."""
        return float(self.powers.sum()) * self.step / 3600.0

    def changes(self) -> tuple[FloatArray, FloatArray]:
        """Return by how much the power rises, in W, and how many seconds after the start."""
        rises = np.concatenate([self.powers, [0.0]])
        rises[1:] -= self.powers
        changing = rises != 0.0
        changing[0] = changing[-1] = True
        places = np.flatnonzero(changing)
        return rises[places].astype(np.float64), (places * self.step).astype(np.float64)

    def at(self, start: float) -> tuple[Piece, ...]:
        """Return the pieces of a run that starts at a moment."""
        _, offsets = self.changes()
        powers = self.powers[np.round(offsets[:-1] / self.step).astype(np.int64)]
        return tuple(
            Piece(start + float(begin), start + float(end), float(power))
            for begin, end, power in zip(offsets[:-1], offsets[1:], powers, strict=True)
            if power > 0.0
        )


def plan_block(
    signal: Signal,
    objective: Objective,
    profile: Profile,
    window: Window,
    *,
    margin: Margin = NO_MARGIN,
) -> Plan:
    """Return when a run starts: optimal among all moments at which it ends by the window's end.

    A window that is too short does not stop it: it runs at once and ends late, which is told.
    """
    late = profile.duration - (window.end - window.start)
    is_forced = late >= 0.0
    reach = window.start + profile.duration if is_forced else window.end
    course = Course.of(signal, objective, Window(start=window.start, end=reach, quiet=window.quiet))
    starts = _Starts.of(course, profile, window.start, reach - profile.duration)
    chosen = starts.best()
    relaxed = _relaxed(starts, chosen)
    if late > SAME * profile.duration:
        free = Window(start=window.start, end=max(signal.slots.end, reach))
        relaxed.append(
            Relaxed(
                wish=Wish.DEADLINE,
                amount=late,
                unit="s",
                cost=_cost_of_deadline(signal, objective, profile, free),
            )
        )
    return decided(
        course.weighing,
        joined(profile.at(float(starts.moments[chosen]))),
        joined(profile.at(float(starts.moments[starts.earliest()]))),
        margin=margin,
        relaxed=relaxed,
        starts=(1, 1),
        is_forced=is_forced,
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Starts:
    """Moments at which a run may start, in order, and what it adds up to from there."""

    moments: FloatArray
    quiet: FloatArray
    unknown: FloatArray
    first: FloatArray
    second: FloatArray
    energy: float

    @classmethod
    def of(cls, course: Course, profile: Profile, start: float, end: float) -> Self:
        """Try all starts in [start, end] where the cost can have its least value."""
        weighing, weights = course.weighing, course.weighing.weights
        edges = weighing.slots.edges - start
        span = max(0.0, end - start)
        rises, offsets = profile.changes()
        running = np.zeros(len(offsets))
        running[0], running[-1] = -1.0, 1.0
        integral = Integral(
            edges=edges,
            weights=np.stack([course.quiet * 1.0, ~weights.known * 1.0, weights.first]),
            offsets=offsets,
            factors=np.stack([running, -rises, -rises]),
        )
        many = len(edges) * len(offsets) ** 2 > _FEW
        moments = integral.nearly_best(span) if many else integral.breakpoints(span)
        quiet, unknown, first = integral.at(moments)
        second = np.zeros(len(moments))
        if weights.second.any():
            by_second = replace(integral, weights=weights.second[None, :], factors=-rises[None, :])
            second = by_second.at(moments)[0] / 3600.0
        unknown, first = unknown / 3600.0, first / 3600.0
        return cls(
            moments=start + moments,
            # Of seconds and watt-hours the last digits are rounding, and no reason to move.
            quiet=np.round(quiet, 3),
            unknown=np.round(unknown / max(profile.energy, 1e-9), 9) * profile.energy,
            first=first,
            second=second,
            energy=profile.energy,
        )

    def best(self) -> int:
        """Return the best start, the earliest among the same."""
        return best(self.quiet, self.unknown, self.first, self.second)

    def earliest(self) -> int:
        """Return the earliest start that is as quiet as can be."""
        return best(self.quiet)


def _relaxed(starts: _Starts, chosen: int) -> list[Relaxed]:
    """Return the quiet hours that a start breaks."""
    broken = float(starts.quiet[chosen])
    if broken == 0.0:
        return []
    free = best(starts.unknown, starts.first, starts.second)
    gain = float(starts.first[chosen] - starts.first[free])
    known = starts.unknown[chosen] == starts.unknown[free] == 0.0
    return [
        Relaxed(wish=Wish.QUIET, amount=broken, unit="s", cost=max(0.0, gain) if known else None)
    ]


def _cost_of_deadline(
    signal: Signal, objective: Objective, profile: Profile, free: Window
) -> float | None:
    """Return how much better a run could be, were there no deadline; None where not known."""
    course = Course.of(signal, objective, free)
    starts = _Starts.of(course, profile, free.start, free.end - profile.duration)
    chosen = starts.best()
    if starts.unknown[0] > 0.0 or starts.unknown[chosen] > 0.0:
        return None
    return max(0.0, float(starts.first[0] - starts.first[chosen]))
