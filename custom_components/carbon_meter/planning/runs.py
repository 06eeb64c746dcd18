"""Runs on a row of cells of one length: so many cells in all, with rules for each run.

Dynamic programming over the cells: for each number of cells that have run (and of starts, where
they are limited) the least cost to be running, and to be standing, at the end of each cell. It
is exact: costs are whole numbers inside of a double, so that sums have no rounding and equal is
equal. A cost is complex, and numpy compares complex numbers by their real part first: the
imaginary one is the second key, with fewer starts and earlier cells at its end.
"""

from dataclasses import dataclass
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..carbon.flow.amounts import FloatArray

_BITS: Final = 52
"""Of a double, in which whole numbers are exact."""

_DIGITS: Final = 10
"""Of a cost, counted from those of the largest: they are told apart to 1e-10 of it."""

_NEVER: Final = complex(math.inf, 0.0)

type Costs = NDArray[np.complex128]
type Run = tuple[int, int]
"""The cells [first, last) in which it runs."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cells:
    """What each cell costs, and what a start does."""

    first: FloatArray
    second: FloatArray
    per_start: float
    quiet: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRules:
    """How many cells run, and how.

    A run has at least `on` cells and a pause at least `off`. With `most` there are no more new
    starts. What was before: `running` is None for what stands, else how many cells the run that
    goes on must still have; what stands may start after `wait` cells.
    """

    count: int
    on: int
    off: int
    most: int | None = None
    running: int | None = None
    wait: int = 0


def best_runs(cells: Cells, rules: RunRules) -> list[Run] | None:
    """Return the runs of least cost in order; None where the rules leave none.

    Cells in quiet hours and unknown cells are left out if that is possible; where it is not,
    there are as few of the first as can be, and then of the second. They are counted apart from
    the costs, whose sums would lose their accuracy with a penalty.
    """
    blocked = cells.quiet | cells.unknown
    found = _solved(_costs(cells, rules), blocked, rules)
    if found is None and blocked.any():
        found = _solved(_counts_first(cells, rules), np.zeros_like(blocked), rules)
    return found


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Costs:
    """Costs of cells and of a start, as whole numbers."""

    cells: Costs
    start: complex


def _costs(cells: Cells, rules: RunRules) -> _Costs:
    """Return the cost by both keys; fewer starts, then earlier cells, decide among the same."""
    count = len(cells.first)
    first, start = _whole(cells.first, cells.per_start, rules.count, _BITS)
    earlier = (count * rules.count).bit_length()
    starts = (rules.count // max(rules.on, 1) + 1).bit_length()
    second, _ = _whole(cells.second, 0.0, rules.count, _BITS - earlier - starts)
    late = np.arange(count, dtype=np.float64)
    shift = 2.0 ** (earlier + starts)
    return _Costs(cells=first + 1j * (second * shift + late), start=complex(start, 2.0**earlier))


def _counts_first(cells: Cells, rules: RunRules) -> _Costs:
    """Return how many cells are quiet and unknown as the first key and the cost as the second."""
    second, start = _whole(cells.first, cells.per_start, rules.count, _BITS)
    counts = cells.quiet * 2.0**24 + cells.unknown
    return _Costs(cells=counts + 1j * second, start=complex(0.0, start))


def _whole(values: FloatArray, start: float, count: int, bits: int) -> tuple[FloatArray, float]:
    """Return numbers as whole ones of which `count`, and as many starts, fit into so many bits.

    They have up to ten decimal digits: what people and sources write comes out exact, and noise
    in the digits after that moves nothing.
    """
    largest = max(float(np.abs(values).max(initial=0.0)), abs(start))
    digits = min(_DIGITS, int((bits - 2 - count.bit_length()) * math.log10(2.0)))
    if largest == 0.0 or digits < 1:
        return np.zeros(len(values)), 0.0
    factor = 10.0 ** (digits - 1 - math.floor(math.log10(largest)))
    return np.rint(values * factor), float(round(start * factor))


def _solved(costs: _Costs, blocked: NDArray[np.bool_], rules: RunRules) -> list[Run] | None:
    """Return the runs of least cost that leave out all blocked cells; None if there are none."""
    table = _Table(costs, blocked, rules)
    final = table.on[rules.count]
    starts, edge = divmod(int(np.argmin(final)), final.shape[1])
    if not math.isfinite(final[starts, edge].real):
        return None
    return table.runs(edge, starts)


class _Table:
    """The least cost to run (`on`), and to stand ready for a start (`off`).

    The axes are cells that ran, new starts (one place where they are not limited) and edges of
    cells: one step of the programme takes all edges at once.
    """

    def __init__(self, costs: _Costs, blocked: NDArray[np.bool_], rules: RunRules) -> None:
        """Fill the table from no cell that ran to all."""
        self._rules = rules
        self._step = 0 if rules.most is None else 1
        shape = (rules.count + 1, (rules.most or 0) + 1, len(blocked) + 1)
        self.on: Costs = np.full(shape, _NEVER)
        self.off: Costs = np.full(shape, _NEVER)
        sums = np.concatenate([[0.0], np.cumsum(np.where(blocked, 0.0, costs.cells))])
        barred = np.concatenate([[0], np.cumsum(blocked)])
        is_free = barred[rules.on :] == barred[: len(barred) - rules.on]
        begun = sums[rules.on :] - sums[: len(sums) - rules.on] + costs.start
        self._begun: Costs = np.where(is_free, begun, _NEVER)
        """What a start at each edge adds until the run may end."""

        self._going_on = _NEVER
        if rules.running is not None and barred[rules.running] == 0:
            self._going_on = complex(sums[rules.running])
        self._fill(np.where(blocked, _NEVER, costs.cells))

    def _fill(self, cells: Costs) -> None:
        """Go through the numbers of cells that ran."""
        on, off, rules, step = self.on, self.off, self._rules, self._step
        layers, edges = on.shape[1] - step, on.shape[2] - rules.on
        for count in range(rules.count + 1):
            runs, stands = on[count], off[count]
            if count:
                np.add(on[count - 1, :, :-1], cells, out=runs[:, 1:])
            if count >= rules.on:
                begun = off[count - rules.on, :layers, :edges] + self._begun
                target = runs[step:, rules.on :]
                np.minimum(target, begun, out=target)
            if count == rules.running:
                runs[0, count] = np.minimum(runs[0, count], self._going_on)
            np.minimum.accumulate(runs[:, : -rules.off], axis=1, out=stands[:, rules.off :])
            if count == 0 and rules.running is None:
                stands[0, rules.wait :] = 0.0

    def runs(self, edge: int, starts: int) -> list[Run]:
        """Return the runs that the cost to run at an edge rests on, all cells having run."""
        found: list[Run] = []
        left = self._rules.count
        while True:
            start, starts, left, is_first = self._start_of(edge, starts, left)
            found.append((start, edge))
            if is_first:
                break
            stands = self.off[left, starts]
            while stands[start] == stands[start - 1]:
                start -= 1
            edge = start - self._rules.off
        return [run for run in reversed(found) if run[1] > run[0]]

    def _start_of(self, edge: int, starts: int, left: int) -> tuple[int, int, int, bool]:
        """Return where the run begins that runs at an edge, and what was before it.

        That is new starts, cells that ran, and whether nothing did before.
        """
        rules, on, off = self._rules, self.on, self.off
        before = starts - self._step
        while True:
            cost = on[left, starts, edge]
            if edge == rules.running and left == edge and starts == 0 and cost == self._going_on:
                return 0, 0, 0, True
            start, ran = edge - rules.on, left - rules.on
            if (
                start >= 0
                and ran >= 0
                and before >= 0
                and off[ran, before, start] + self._begun[start] == cost
            ):
                return start, before, ran, rules.running is None and ran == 0
            edge, left = edge - 1, left - 1
