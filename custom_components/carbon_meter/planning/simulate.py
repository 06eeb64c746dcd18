"""The decision of a site: alternatives simulated, ranked by carbon, cost and comfort."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
import math
from threading import Event
from typing import Any, Final

from .alternatives import Alternative, Member, Simulated, Way, between, standard_alternatives
from .days import Turn, summed, total
from .objective import SAME, Goal, Objective
from .plan import NO_MARGIN, Margin
from .signal import Signal

type Progress = Callable[[int, int], object]
"""Told how many simulations of how many are done; called in the thread that simulates."""

_COMFORT: Final = 0.05
"""K h, and hours of light, that nobody notices."""

_LATE: Final = 1.0
"""Wh that may be missing at a deadline without its being late."""


_LOAD_WAYS: Final = frozenset({Way.CLEANEST, Way.CHEAPEST, Way.BETWEEN, Way.RELAXED})
"""The alternatives that are plans of loads."""


_ENDS: Final = frozenset({Way.CLEANEST, Way.CHEAPEST})
"""What weights lie between."""


class CancelledError(Exception):
    """A simulation was cancelled."""


class Cancellation:
    """A request to stop, made in one thread and found in another."""

    def __init__(self) -> None:
        """Start without a request."""
        self._event = Event()

    def cancel(self) -> None:
        """Ask to stop at the next step."""
        self._event.set()

    def check(self) -> None:
        """Raise CancelledError where it was asked to stop."""
        if self._event.is_set():
            raise CancelledError


class Standing(StrEnum):
    """How an alternative stands among the others."""

    BEST = "best"
    EFFICIENT = "efficient"
    """No other is at least as good in everything: the Pareto front."""

    BEATEN = "beaten"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Assessed:
    """An alternative with what all members add up to in it."""

    alternative: Alternative
    members: tuple[tuple[str, Simulated], ...]
    energy: float
    """Wh."""

    carbon: float | None
    cost: float | None
    discomfort: float
    """K h outside the comfort."""

    dimmed: float
    """Hours of full light that were taken away."""

    late: float
    """Wh that are missing at their deadlines."""

    standing: Standing = Standing.BEATEN

    def as_dict(self) -> dict[str, Any]:
        """Return it for an action's response."""
        return {
            **self.alternative.as_dict(),
            "energy": self.energy,
            "carbon": self.carbon,
            "cost": self.cost,
            "discomfort": self.discomfort,
            "dimmed": self.dimmed,
            "late": self.late,
            "standing": self.standing.value,
            "members": {
                name: {
                    **member.outcome.as_dict(),
                    "plan": None if member.plan is None else member.plan.as_dict(),
                }
                for name, member in self.members
            },
        }


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Choice:
    """The alternatives of a site, the best first, and doing nothing as what they count against."""

    ranked: tuple[Assessed, ...]
    nothing: Assessed

    @property
    def best(self) -> Assessed:
        """Return the one to take; doing nothing, where nothing else is worth it."""
        return self.ranked[0]

    @property
    def saved_carbon(self) -> float | None:
        """Return the gCO2eq that the best saves against doing nothing."""
        return _less(self.nothing.carbon, self.best.carbon)

    @property
    def saved_cost(self) -> float | None:
        """Return the currency that the best saves against doing nothing."""
        return _less(self.nothing.cost, self.best.cost)

    def as_dict(self) -> dict[str, Any]:
        """Return it for an action's response."""
        return {
            "alternatives": [each.as_dict() for each in self.ranked],
            "saved_carbon": self.saved_carbon,
            "saved_cost": self.saved_cost,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Preference:
    """What the best is: by an objective, with as much less comfort as is accepted.

    `discomfort` in K h and `dimmed` in hours are what an alternative may have beyond doing
    nothing. What it gains over doing nothing has to exceed the `margin`.
    """

    objective: Objective
    discomfort: float = 0.0
    dimmed: float = 0.0
    margin: Margin = NO_MARGIN


def simulate(  # noqa: PLR0913  # a site, and how it is simulated
    members: Sequence[Member],
    signal: Signal,
    preference: Preference,
    *,
    alternatives: Sequence[Alternative] | None = None,
    progress: Progress = lambda _done, _all: None,
    cancellation: Cancellation | None = None,
) -> Choice:
    """Return the ranked alternatives of a site over a signal: a forecast, or what was recorded.

    Without `alternatives` the standard ones are taken, and three weights between the cleanest and
    the cheapest. Doing nothing is always among them. It computes, for a long time where there is
    much to simulate: run it where that holds up nobody. Raises CancelledError when `cancellation`
    asks for it, and what the members raise for numbers that cannot be.
    """
    turns = [Turn(name=member.name, member=member, signal=signal) for member in members]
    return simulate_turns(
        turns,
        preference,
        alternatives=alternatives,
        progress=progress,
        cancellation=cancellation,
        has_price=signal.price is not None,
    )


def simulate_turns(  # noqa: PLR0913  # a site, and how it is simulated
    turns: Sequence[Turn],
    preference: Preference,
    *,
    alternatives: Sequence[Alternative] | None = None,
    ways: Collection[Way] | None = None,
    progress: Progress = lambda _done, _all: None,
    cancellation: Cancellation | None = None,
    has_price: bool | None = None,
) -> Choice:
    """Return the ranked alternatives of a site over several days.

    An alternative is the same on all of them and is ranked by what all turns add up to. Of the
    standard ones only some `ways` are ranked, where these are told. There is a price where every
    turn has one, unless told. See `simulate` for the rest.
    """
    turns = tuple(turns)
    stop = cancellation or Cancellation()
    if has_price is None:
        has_price = bool(turns) and all(turn.signal.price is not None for turn in turns)
    standard = alternatives is None
    members = tuple(turn.member for turn in turns)
    chosen = list(
        standard_alternatives(members, preference.objective, has_price=has_price)
        if alternatives is None
        else alternatives
    )
    if all(each.way is not Way.NOTHING for each in chosen):
        chosen.insert(0, Alternative(way=Way.NOTHING))
    asked = frozenset(Way) if ways is None else frozenset(ways)
    with_weights = standard and has_price and Way.BETWEEN in asked
    with_combined = standard and Way.COMBINED in asked
    if not with_combined:
        # Weights lie between the cleanest and the cheapest.
        needed = asked | {Way.NOTHING} | (_ENDS if with_weights else set())
        chosen = [each for each in chosen if each.way in needed]
    expected = len(chosen) + (3 if with_weights else 0) + int(with_combined)
    found: list[Assessed] = []

    def assess(alternative: Alternative) -> None:
        parts: dict[str, list[Simulated]] = {}
        for number, turn in enumerate(turns):
            stop.check()
            done = turn.member.simulate(turn.signal, alternative)
            parts.setdefault(turn.name, []).append(done)
            progress(len(found) * len(turns) + number + 1, expected * len(turns))
        found.append(_assessed(alternative, [(name, summed(some)) for name, some in parts.items()]))

    for alternative in chosen:
        assess(alternative)
    if with_weights:
        by_way = {each.alternative.way: each for each in found}
        clean, cheap = by_way[Way.CLEANEST], by_way[Way.CHEAPEST]
        for alternative in _weights_between(clean, cheap):
            assess(alternative)
    if with_combined and (combined := _combined(found, preference)) is not None:
        assess(combined)
    shown = asked | {Way.NOTHING}
    return _choice([each for each in found if each.alternative.way in shown], preference)


def _combined(found: Sequence[Assessed], preference: Preference) -> Alternative | None:
    """Return the best for loads with what is worth it in zones; None where that is not several.

    What members do adds up, so that what is worth it alone is worth it together, as far as one
    comfort is not asked for twice.
    """
    parts: list[Alternative] = []
    for ways in (_LOAD_WAYS, {Way.SETPOINT}, {Way.SCHEDULE}, {Way.DIMMED}):
        some = [each for each in found if each.alternative.way in {Way.NOTHING, *ways}]
        best = _best(some, preference)
        if best.alternative.way is not Way.NOTHING:
            parts.append(best.alternative)
    return Alternative.combining(*parts) if len(parts) > 1 else None


def _weights_between(clean: Assessed, cheap: Assessed) -> Sequence[Alternative]:
    """Return weights between the cleanest and the cheapest, where all is known of both."""
    if clean.carbon is None or clean.cost is None or cheap.carbon is None or cheap.cost is None:
        return ()
    return between((clean.carbon, clean.cost), (cheap.carbon, cheap.cost))


def _assessed(alternative: Alternative, parts: Sequence[tuple[str, Simulated]]) -> Assessed:
    """Return what all members add up to."""
    outcomes = [part.outcome for _, part in parts]
    return Assessed(
        alternative=alternative,
        members=tuple(parts),
        energy=sum(outcome.energy for outcome in outcomes),
        carbon=total(outcome.carbon for outcome in outcomes),
        cost=total(outcome.cost for outcome in outcomes),
        discomfort=sum(part.discomfort for _, part in parts),
        dimmed=sum(part.dimmed for _, part in parts),
        late=sum(part.late for _, part in parts),
    )


def _choice(found: Sequence[Assessed], preference: Preference) -> Choice:
    """Rank alternatives: the best, then those that no other beats, each by its value."""
    objective = preference.objective
    nothing = next(each for each in found if each.alternative.way is Way.NOTHING)
    best = _best(found, preference)
    places = {standing: place for place, standing in enumerate(Standing)}
    ranked = sorted(
        (replace(each, standing=_standing(each, best, found)) for each in found),
        key=lambda each: (places[each.standing], _keys(each, objective)),
    )
    return Choice(
        ranked=tuple(ranked),
        nothing=next(each for each in ranked if each.alternative is nothing.alternative),
    )


def _best(found: Sequence[Assessed], preference: Preference) -> Assessed:
    """Return the best of what is accepted; doing nothing, where nothing is worth it."""
    objective = preference.objective
    nothing = next(each for each in found if each.alternative.way is Way.NOTHING)
    best = nothing
    for each in found:
        margin = preference.margin if best is nothing else NO_MARGIN
        if _is_accepted(each, nothing, preference) and _gains(
            _keys(each, objective), _keys(best, objective), margin
        ):
            best = each
    return best


def _is_accepted(one: Assessed, nothing: Assessed, preference: Preference) -> bool:
    """Return whether an alternative asks for no more comfort than may be asked for."""
    return (
        one.discomfort <= nothing.discomfort + preference.discomfort + _COMFORT
        and one.dimmed <= nothing.dimmed + preference.dimmed + _COMFORT
        and one.late <= nothing.late + _LATE
    )


def _gains(new: tuple[float, float], old: tuple[float, float], margin: Margin) -> bool:
    """Return whether the first key is better by more than a margin, or the same and the second."""
    if not math.isfinite(new[0]) or not math.isfinite(old[0]):
        return new[0] < old[0]
    if abs(new[0] - old[0]) > SAME * abs(old[0]):
        return margin.is_exceeded(old[0] - new[0], old[0])
    return margin == NO_MARGIN and new[1] < old[1] - SAME * abs(old[1])


def _standing(one: Assessed, best: Assessed, found: Sequence[Assessed]) -> Standing:
    """Return how an alternative stands among all."""
    if one is best:
        return Standing.BEST
    beaten = any(_beats(other, one) for other in found if other is not one)
    return Standing.BEATEN if beaten else Standing.EFFICIENT


def _beats(one: Assessed, other: Assessed) -> bool:
    """Return whether one is at least as good in everything, and better in something."""
    pairs = list(zip(_criteria(one), _criteria(other), strict=True))
    noticed = [SAME * abs(theirs) for _, theirs in pairs]
    return all(
        ours <= theirs + least for (ours, theirs), least in zip(pairs, noticed, strict=True)
    ) and any(ours < theirs - least for (ours, theirs), least in zip(pairs, noticed, strict=True))


def _criteria(one: Assessed) -> tuple[float, ...]:
    """Return what alternatives are compared by: less is better; what is not known is no matter."""
    return (one.carbon or 0.0, one.cost or 0.0, one.discomfort, one.dimmed, one.late)


def _keys(one: Assessed, objective: Objective) -> tuple[float, float]:
    """Return what an objective makes of an alternative, infinite where it is not known."""
    carbon = math.inf if one.carbon is None else one.carbon
    cost = math.inf if one.cost is None else one.cost
    match objective.goal:
        case Goal.CARBON:
            return carbon, 0.0
        case Goal.COST:
            return cost, 0.0
        case Goal.WEIGHTED:
            return carbon / 1000.0 * objective.price_per_kg + cost, 0.0
        case Goal.CARBON_THEN_COST:
            return carbon, cost
        case Goal.COST_THEN_CARBON:
            return cost, carbon


def _less(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after
