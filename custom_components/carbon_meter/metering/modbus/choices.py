"""Which of several ways a meter gives its quantities: by what each of them would mean.

Firmwares and models of one family differ in addresses and scales. A way that shows
what no network has, such as 500 Hz or 23 V, is not the meter's; where more than one way
remains, only what they agree on is taken for true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Final

from ..plausibility import is_frequency, is_nominal_voltage, weigh
from ..quantities import QUANTITIES
from .profile import Choice, Option

_SAME: Final = 0.01
"""Two registers of one quantity may have been measured at two moments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What one option would mean."""

    option: Option
    values: Mapping[str, float]
    faulty: bool
    """Whether a register of it holds what cannot be."""


class Chooser:
    """Chooses the option of one choice, reading by reading until it is clear."""

    def __init__(self, choice: Choice) -> None:
        """Begin without knowing anything."""
        self.choice = choice
        self.chosen: Option | None = None
        self.disputed: frozenset[str] = frozenset()
        """Quantities of which more than one value could be true."""

        self._first: dict[str, Mapping[str, float]] = {}
        self._fallen: set[str] = set()

    def choose(self, shown: list[Shown]) -> Mapping[str, float]:
        """Return the values that are true in this reading; `disputed` names what is not told.

        `chosen` is set when no other option can be true any more.
        """
        for each in shown:
            first = self._first.setdefault(each.option.name, each.values)
            if any(value < first.get(key, 0) for key, value in _counters(each.values).items()):
                self._fallen.add(each.option.name)
        possible = self._possible(shown)
        if len(possible) > 1 and any(not _same(possible, key) for key in possible[0].values):
            possible = [each for each in possible if self._has_grown(each)] or possible
        self.disputed = frozenset()
        if not possible:
            return {}
        if len(possible) == 1:
            self.chosen = possible[0].option
            return possible[0].values
        shared = [key for key in possible[0].values if all(key in each.values for each in possible)]
        self.disputed = frozenset(key for key in shared if not _same(possible, key))
        return {key: possible[0].values[key] for key in shared if key not in self.disputed}

    def _possible(self, shown: list[Shown]) -> list[Shown]:
        """Return the options that can be the meter's: of those nothing rules out, the soundest."""
        left = [each for each in shown if each.option.name not in self._fallen and not each.faulty]
        verdicts = {each.option.name: _verdict(each.values) for each in left}
        # Where the meter refuses the registers of every other option, nothing has to speak for it.
        needed = (True,) if len(shown) > 1 else (True, None)
        left = [each for each in left if verdicts[each.option.name] in needed]
        against = [weigh(each.values).contradicting for each in left]
        return [each for each, count in zip(left, against, strict=True) if count == min(against)]

    def _has_grown(self, shown: Shown) -> bool:
        """Return whether a counter of the option counts."""
        first = self._first[shown.option.name]
        return any(value > first.get(key, value) for key, value in _counters(shown.values).items())


def _counters(values: Mapping[str, float]) -> dict[str, float]:
    return {key: value for key, value in values.items() if QUANTITIES[key].counter}


def _verdict(values: Mapping[str, float]) -> bool | None:
    """Return whether the values can be true, None where they say nothing either way."""
    verdict = True if any(_counters(values).values()) else None
    for key, value in values.items():
        if key == "frequency":
            right = is_frequency(value)
        elif key.startswith("voltage") and value:
            right = is_nominal_voltage(value)
        else:
            continue
        if not right:
            return False
        verdict = True
    return verdict


def _same(shown: list[Shown], key: str) -> bool:
    """Return whether the options give a quantity the same value."""
    values = [each.values[key] for each in shown if key in each.values]
    if QUANTITIES[key].counter:
        return len(set(values)) == 1
    return all(math.isclose(value, values[0], rel_tol=_SAME) for value in values)
