"""Plans in a sentence: plain words made from their numbers, in English and Simplified Chinese."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
import math
from typing import Final

from .alternatives import Alternative, Way
from .plan import Plan, ReasonKind, Relaxed, Wish, runs
from .sentences import texts
from .simulate import Choice

_WISHES: Final = {
    (Wish.SAFETY, "W"): "fuse",
    (Wish.DEADLINE, "s"): "late",
    (Wish.DEADLINE, "Wh"): "missing",
    (Wish.COMFORT, "K"): "cool",
    (Wish.COMFORT, "s"): "pause",
    (Wish.COMFORT, "starts"): "starts",
    (Wish.QUIET, "s"): "quiet",
    (Wish.FORECAST, "Wh"): "blind",
}
"""The sentence for a wish that could not be kept, by the unit of what is missing."""

_LOST: Final = "lost"
_END: Final = "end_temperature"
_DIMMED: Final = "dimmed"
"""The number of a reason by which a plan is known to be one of a battery, heat or cold, light."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Speaker:
    """How sentences are made: language as Home Assistant names it, local time, currency."""

    language: str = "en"
    zone: tzinfo = UTC
    currency: str = ""

    def text(self, key: str, **values: object) -> str:
        """Return a template with its values."""
        return texts(self.language)[key].format(**values)

    def time(self, moment: float, *, of: float) -> str:
        """Return the time on the clock, with the day where it is not that of another moment."""
        local = datetime.fromtimestamp(moment, self.zone)
        clock = local.strftime("%H:%M")
        if local.date() == datetime.fromtimestamp(of, self.zone).date() or moment - of < 43_200:
            return clock
        days = texts(self.language)["days"].split()
        return self.text("day", day=days[local.weekday()], time=clock)

    def duration(self, seconds: float) -> str:
        """Return a duration in hours and minutes."""
        hours, minutes = divmod(round(seconds / 60.0), 60)
        if not hours:
            return self.text("minutes", minutes=minutes)
        if not minutes:
            return self.text("hours", hours=hours)
        return self.text("both", hours=hours, minutes=minutes)

    def mass(self, grams: float) -> str:
        """Return a mass in g or kg."""
        if abs(grams) < 999.5:
            return self.text("g", number=f"{grams:.0f}")
        return self.text("kg", number=f"{grams / 1000.0:.2f}")

    def energy(self, energy: float) -> str:
        """Return an energy in kWh."""
        return self.text("Wh", number=f"{energy / 1000.0:.2f}")

    def money(self, amount: float) -> str:
        """Return an amount of money."""
        return self.text("money", number=f"{amount:.2f}", currency=self.currency).strip()


def explain(plan: Plan, speaker: Speaker) -> str:
    """Return a sentence on when a load runs and what that saves, and one for each relaxed wish.

    Such as "Moved 2 h to 02:15: saves 412 g (best possible 450 g)". The best possible is said
    where the plan is not proved to be the best.
    """
    parts = [_deed(plan, speaker)]
    if plan.reason.kind in {ReasonKind.MOVED, ReasonKind.KEPT}:
        parts.append(_saving(plan, speaker))
    sentences = [speaker.text("then").join(parts)]
    sentences += [explain_relaxed(each, speaker) for each in plan.relaxed]
    return speaker.text("stop").join(sentences)


def _deed(plan: Plan, speaker: Speaker) -> str:
    """Return what the load does."""
    reason, start = plan.reason, plan.start
    if (key := _usual(plan)) is not None:
        return speaker.text(key)
    if reason.kind not in {ReasonKind.MOVED, ReasonKind.KEPT} or start is None:
        return speaker.text(reason.kind.value)
    if _DIMMED in reason.numbers:
        return _dimming(plan, speaker)
    if _LOST in reason.numbers or any(piece.power < 0.0 for piece in plan.pieces):
        return _charging(plan, speaker)
    return _running(plan, start, speaker)


def _running(plan: Plan, start: float, speaker: Speaker) -> str:
    """Return when a load runs, and how that differs from running at once."""
    first = plan.baseline_pieces[0].start if plan.baseline_pieces else start
    time = speaker.time(start, of=first)
    parts = len(runs(plan.pieces))
    if plan.reason.kind is ReasonKind.KEPT:
        return speaker.text("kept", time=time)
    if parts > 1:
        return speaker.text("split", parts=parts, time=time)
    if start > first:
        return speaker.text("moved", later=speaker.duration(start - first), time=time)
    if start < first:
        return speaker.text("earlier", earlier=speaker.duration(first - start), time=time)
    return speaker.text("once", time=time)


def _usual(plan: Plan) -> str | None:
    """Return the sentence of what is left as it is, where it is no load that runs at once."""
    kind, numbers = plan.reason.kind, plan.reason.numbers
    for number, nothing_gained, nothing_known in (
        (_LOST, "rests", "rests_blind"),
        (_END, "as_usual", "as_usual_blind"),
        (_DIMMED, "full_light", "full_light_blind"),
    ):
        if number in numbers and kind is ReasonKind.NO_BENEFIT:
            return nothing_gained
        if number in numbers and kind is ReasonKind.NOT_KNOWN:
            return nothing_known
    if _DIMMED in numbers and kind is ReasonKind.NOTHING_TO_DO:
        return "no_light"
    return "rests" if kind is ReasonKind.NO_BENEFIT and not plan.pieces else None


def _dimming(plan: Plan, speaker: Speaker) -> str:
    """Return how far and how long the light is dimmed."""
    numbers = plan.reason.numbers
    first = numbers["first"]
    begin = plan.slots.start if len(plan.slots) else first
    return speaker.text(
        "dims",
        light=f"{numbers['light'] * 100.0:.0f}",
        time=speaker.duration(numbers[_DIMMED]),
        first=speaker.time(first, of=begin),
    )


def _charging(plan: Plan, speaker: Speaker) -> str:
    """Return what a battery takes and gives."""
    charged = sum(piece.energy for piece in plan.pieces if piece.power > 0.0)
    discharged = -sum(piece.energy for piece in plan.pieces if piece.power < 0.0)
    key = "charged" if charged and discharged else "only_charged"
    return speaker.text(
        key if charged else "only_discharged",
        charged=speaker.energy(charged),
        discharged=speaker.energy(discharged),
    )


def _saving(plan: Plan, speaker: Speaker) -> str:
    """Return what a plan saves, and the best possible where there may be better."""
    said = _savings(plan.saved_carbon, plan.saved_cost, speaker)
    carbon = plan.carbon
    if carbon is None or plan.baseline.carbon is None or plan.gap == 0.0:
        return said
    if not math.isclose(plan.value, carbon, rel_tol=1e-9):
        # Something else than carbon was made small.
        return said
    best = speaker.mass(plan.baseline.carbon - plan.lower_bound)
    if best == speaker.mass(plan.baseline.carbon - carbon):
        return said
    return said + speaker.text("open") + speaker.text("best", amount=best) + speaker.text("close")


def _savings(carbon: float | None, cost: float | None, speaker: Speaker) -> str:
    """Return what is saved of carbon and of money."""
    said: dict[str, list[str]] = {}
    for amount, say, more, least in (
        (carbon, speaker.mass, "emits", 0.5),
        (cost, speaker.money, "costs", 0.005),
    ):
        if amount is None or abs(amount) < least:
            continue
        key = "saves" if amount > 0.0 else more
        said.setdefault(key, []).append(say(abs(amount)))
    parts = [speaker.text(key, amount=_listed(amounts, speaker)) for key, amounts in said.items()]
    return _listed(parts, speaker) or speaker.text("no_change")


def explain_relaxed(relaxed: Relaxed, speaker: Speaker) -> str:
    """Return a sentence on a wish that could not be kept."""
    key = _WISHES.get((relaxed.wish, relaxed.unit), "less")
    amount = relaxed.amount
    match relaxed.unit:
        case "s":
            return speaker.text(key, time=speaker.duration(amount))
        case "W":
            kilowatts = speaker.text("W", number=f"{amount / 1000.0:.2f}")
            return speaker.text(key, amount=kilowatts)
        case "Wh":
            return speaker.text(key, amount=speaker.energy(amount))
    return speaker.text(key, amount=f"{amount:.1f}".removesuffix(".0"))


def explain_choice(choice: Choice, speaker: Speaker) -> str:
    """Return a sentence on the best of a site's alternatives and what it saves."""
    best, count = choice.best, len(choice.ranked)
    if best.alternative.way is Way.NOTHING:
        return speaker.text("choice_nothing", count=count - 1)
    saved = _savings(choice.saved_carbon, choice.saved_cost, speaker)
    said = [speaker.text("against", savings=saved)]
    less = best.discomfort - choice.nothing.discomfort
    if less >= 0.05:
        said.append(speaker.text("discomfort", amount=f"{less:.1f}"))
    deed = speaker.text("choice", count=count, way=explain_alternative(best.alternative, speaker))
    return speaker.text("then").join([deed, _listed(said, speaker)])


def _listed(parts: Sequence[str], speaker: Speaker) -> str:
    """Return parts one after the other."""
    return speaker.text("and").join(parts)


def explain_alternative(alternative: Alternative, speaker: Speaker) -> str:
    """Return what is done in an alternative, such as "run when it is cleanest"."""
    objective, adjustment = alternative.objective, alternative.adjustment
    key = alternative.way.value
    if alternative.way is Way.COMBINED:
        return _listed(
            [explain_alternative(each, speaker) for each in alternative.parts()], speaker
        )
    if alternative.way is Way.SCHEDULE and adjustment.earlier < 0.0:
        key = "schedule_later"
    return speaker.text(
        key,
        price=speaker.money(objective.price_per_kg if objective else 0.0),
        kelvin=f"{alternative.kelvin or adjustment.kelvin:g}",
        time=speaker.duration(abs(adjustment.earlier)),
        light=f"{adjustment.dim * 100.0:.0f}",
    )
