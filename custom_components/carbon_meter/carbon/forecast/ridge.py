"""Ridge regression from sums of squares, so that leaving a part out is a subtraction.

(Hoerl and Kennard, Technometrics 12, 1970; with columns scaled to unit variance and an offset
that is not penalised.)
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from .history import Values

_PRIOR: Final = 10.0
"""Samples' worth of penalty that is always there: few samples say little."""

_CONSTANT: Final = 1e-6
"""A column that varies less than this, beside the one that varies most, does not vary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """A linear function of columns, for one value or several."""

    shift: Values
    weights: Values
    offset: Values

    def of(self, columns: Values) -> Values:
        """Return the values for rows of columns."""
        result: Values = (columns - self.shift) @ self.weights + self.offset
        return result


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """Sums over samples: how many, columns, values, and their products."""

    count: float
    columns: Values
    values: Values
    squares: Values
    products: Values

    @classmethod
    def of(cls, columns: Values, values: Values) -> Self:
        """Return the sums over rows of columns and the values that belong to them."""
        return cls(
            count=float(len(columns)),
            columns=columns.sum(axis=0),
            values=values.sum(axis=0),
            squares=columns.T @ columns,
            products=columns.T @ values,
        )

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over the samples of both."""
        return Sums(
            count=self.count + other.count,
            columns=self.columns + other.columns,
            values=self.values + other.values,
            squares=self.squares + other.squares,
            products=self.products + other.products,
        )

    def __sub__(self, other: Sums) -> Sums:
        """Return the sums without some of the samples."""
        return Sums(
            count=self.count - other.count,
            columns=self.columns - other.columns,
            values=self.values - other.values,
            squares=self.squares - other.squares,
            products=self.products - other.products,
        )

    def solve(self, penalty: float) -> Linear:
        """Return the function that fits best; `penalty` is per sample.

        A column that does not vary gets no weight, and without samples the function is 0.
        """
        count = max(self.count, 1.0)
        mean, offset = self.columns / count, self.values / count
        covariance = self.squares / count - np.outer(mean, mean)
        scale = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        scale = np.where(scale > _CONSTANT * max(1.0, float(scale.max())), scale, np.inf)
        correlated = covariance / np.outer(scale, scale)
        explained = (self.products / count - np.outer(mean, offset)) / scale[:, None]
        penalties = (penalty + _PRIOR / count) * np.eye(len(mean))
        weights = np.linalg.solve(correlated + penalties, explained) / scale[:, None]
        return Linear(shift=mean, weights=weights, offset=offset)
