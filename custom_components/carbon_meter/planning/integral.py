"""Sums of the integral of a piecewise constant weight, as functions of a moment.

With W(t) the integral of the weights up to t, and offsets b with factors c, they are

    f(s) = sum over j of c[j] * W(s + b[j])

W is piecewise linear and so is f: its least value is where some s + b[j] is an edge of a slot.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..carbon.flow.amounts import FloatArray

_CHUNK: Final = 200_000
"""Moments times offsets that are worked out in one go: a few megabytes."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Integral:
    """Sums over j of factors[j] * W(s + offsets[j]), W the integral of a row of weights."""

    edges: FloatArray
    weights: FloatArray
    """Rows, one number for each slot."""

    offsets: FloatArray
    factors: FloatArray
    """Rows as in `weights`, one number for each offset."""

    def breakpoints(self, span: float) -> FloatArray:
        """Return where in [0, span] the least value can be, in order."""
        moments = (self.edges[:, None] - self.offsets).ravel()
        moments = moments[(moments > 0.0) & (moments < span)]
        return np.unique(np.concatenate([[0.0], moments, [span]]))

    def at(self, moments: FloatArray) -> FloatArray:
        """Return the sums at so many moments, a row for each row of weights."""
        sums = np.zeros((len(self.weights), len(self.edges)))
        np.cumsum(self.weights * np.diff(self.edges), axis=1, out=sums[:, 1:])
        found = np.empty((len(self.weights), len(moments)))
        last = len(self.edges) - 2
        step = max(1, _CHUNK // len(self.offsets))
        for first in range(0, len(moments), step):
            at = moments[first : first + step, None] + self.offsets
            place = np.searchsorted(self.edges, at, side="right") - 1
            place = np.minimum(np.maximum(place, 0), last)
            within = np.minimum(at, self.edges[-1]) - self.edges[place]
            for row, (total, weight, factor) in enumerate(
                zip(sums, self.weights, self.factors, strict=True)
            ):
                found[row, first : first + step] = (total[place] + weight[place] * within) @ factor
        return found

    def nearly_best(self, span: float) -> FloatArray:
        """Return the breakpoints that may be the best or the first that is best by the first row.

        The sums are followed from breakpoint to breakpoint by their slopes, which is quick and
        not quite exact: what is nearly as good as can be by one row after the other is kept.
        """
        events = (self.edges[:, None] - self.offsets).ravel()
        order = np.argsort(events)
        events = events[order]
        begun, ended = np.searchsorted(events, [0.0, span], side="right")
        moments = np.concatenate([[0.0], events[begun:ended], [span]])
        good = np.ones(len(moments), dtype=np.bool_)
        first = 0
        for number in range(len(self.weights)):
            if not self.weights[number].any():
                continue
            steps = np.diff(self.weights[number], prepend=0.0, append=0.0)
            changes = (steps[:, None] * self.factors[number]).ravel()[order]
            slopes = np.cumsum(changes)[max(0, begun - 1) : ended]
            slopes = slopes if begun else np.concatenate([[0.0], slopes])
            sums = np.concatenate([[0.0], np.cumsum(slopes * np.diff(moments))])
            good &= sums <= sums[good].min() + 1e-8 * np.abs(sums).max()
            first = int(np.argmax(good)) if number == 0 else first
        good[first] = True
        return np.unique(moments[good])
