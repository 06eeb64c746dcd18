"""The cheapest way through a store whose costs are not convex: a mixed integer programme.

That is so for a battery while prices are below zero: to charge and to discharge at once would pay.
Each piece of a cost is filled only when the one before it is full. Solved by HiGHS, where it is
installed; without it the caller keeps what the convex programme says.
"""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .store import Store
from .store_path import Segment


def has_solver() -> bool:
    """Return whether HiGHS is installed."""
    return find_spec("highspy") is not None


def cheapest_mixed(  # noqa: PLR0913  # a problem, and when to end
    store: Store,
    costs: Sequence[Sequence[Segment]],
    *,
    end_value: float,
    offset: float,
    seconds: float,
    gap: float,
) -> tuple[FloatArray, float] | None:
    """Return changes by slot and what no path beats; None where nothing was found in time.

    As `cheapest_path`, but slopes need not rise; `offset` is what the least changes cost, and
    part of the bound. It ends after so many seconds, or when the gap is below `gap`, a part of the
    cost. It imports and computes: run it where that holds up nobody.
    """
    import highspy  # noqa: PLC0415  # optional, and heavy

    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("time_limit", seconds),
        ("mip_rel_gap", gap),
        ("mip_abs_gap", 0.0),
    ):
        solver.setOptionValue(option, value)
    parts_by_slot = []
    before, is_mixed = None, False
    last = len(store) - 1
    for slot, segments in enumerate(costs):
        parts = [solver.addVariable(0.0, max(length, 0.0), obj=slope) for slope, length in segments]
        for place, (slope, length) in enumerate(segments[:-1]):
            if slope <= segments[place + 1][0]:
                continue
            is_mixed = True
            full = solver.addBinary()
            solver.addConstr(parts[place] - length * full >= 0.0)
            for later in range(place + 1, len(segments)):
                solver.addConstr(parts[later] - segments[later][1] * full <= 0.0)
        after = solver.addVariable(
            float(store.low[slot]),
            float(store.high[slot]),
            obj=-end_value if slot == last else 0.0,
        )
        moved = float(store.least[slot] + store.drift[slot])
        keep = float(store.keep[slot])
        if before is None:
            solver.addConstr(after - sum(parts) == moved + keep * store.start)
        else:
            solver.addConstr(after - keep * before - sum(parts) == moved)
        parts_by_slot.append(parts)
        before = after
    solver.changeObjectiveOffset(offset)
    solver.minimize()
    info = solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    values = solver.getSolution().col_value
    changes = [sum(values[part.index] for part in parts) for parts in parts_by_slot]
    # Without a binary it was a linear programme, whose optimum is its own bound.
    bound = info.mip_dual_bound if is_mixed else info.objective_function_value
    return np.array(changes) + store.least, float(bound)
