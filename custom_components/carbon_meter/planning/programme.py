"""A mixed integer programme, put together row by row and solved by HiGHS.

HiGHS (highspy) is optional: it is imported where it is needed, which takes some milliseconds and
frees the interpreter while it solves. Run it in an executor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
import math

import numpy as np

from ..carbon.flow.amounts import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Solution:
    """The values of the columns, and a bound that no other values beat."""

    values: FloatArray
    value: float
    bound: float


@dataclass(kw_only=True, slots=True)
class Programme:
    """Columns with costs and limits, and rows that limit their sums; the costs are made small."""

    costs: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    _row_lower: list[float] = field(default_factory=list)
    _row_upper: list[float] = field(default_factory=list)
    _starts: list[int] = field(default_factory=lambda: [0])
    _places: list[int] = field(default_factory=list)
    _factors: list[float] = field(default_factory=list)

    def columns(
        self,
        costs: Sequence[float] | FloatArray,
        *,
        upper: Sequence[float] | FloatArray,
        whole: bool = False,
    ) -> range:
        """Add columns from 0 up to a limit each; return their places."""
        first = len(self.costs)
        self.costs += [float(cost) for cost in costs]
        self.upper += [float(limit) for limit in upper]
        self.lower += [0.0] * (len(self.costs) - first)
        self.whole += [whole] * (len(self.costs) - first)
        return range(first, len(self.costs))

    def row(
        self, places: Sequence[int], factors: Sequence[float], *, lower: float, upper: float
    ) -> None:
        """Limit a sum of columns times factors."""
        self._places += places
        self._factors += [float(factor) for factor in factors]
        self._starts.append(len(self._places))
        self._row_lower.append(lower)
        self._row_upper.append(upper)

    def solved(self, *, seconds: float, gap: float) -> Solution | None:
        """Return the best that is found in so many seconds or to a relative gap; None if nothing.

        It is the caller's to see that HiGHS is there (`has_highs`).
        """
        import highspy  # noqa: PLC0415  # optional, and heavy

        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(self.costs), len(self._row_lower)
        model.col_cost_ = np.array(self.costs)
        model.col_lower_, model.col_upper_ = np.array(self.lower), np.array(self.upper)
        model.row_lower_, model.row_upper_ = np.array(self._row_lower), np.array(self._row_upper)
        matrix = model.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.start_ = np.array(self._starts, dtype=np.int32)
        matrix.index_ = np.array(self._places, dtype=np.int32)
        matrix.value_ = np.array(self._factors)
        kinds = highspy.HighsVarType
        model.integrality_ = [
            kinds.kInteger if whole else kinds.kContinuous for whole in self.whole
        ]
        solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its types have a gap
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("time_limit", max(0.05, seconds))
        solver.setOptionValue("mip_rel_gap", gap)
        solver.passModel(model)
        solver.run()
        info = solver.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        bound = float(info.mip_dual_bound)
        return Solution(
            values=np.array(solver.getSolution().col_value),
            value=float(info.objective_function_value),
            bound=bound if math.isfinite(bound) else -math.inf,
        )


def has_highs() -> bool:
    """Return whether HiGHS is installed."""
    return find_spec("highspy") is not None
