"""A run time in the best parts of a window: for what may pause as often as it likes."""

from .charging import Charger, Connection, Need, plan_charging
from .objective import Objective
from .plan import NO_MARGIN, Margin, Plan
from .signal import Signal
from .window import Window


def plan_cheapest(  # noqa: PLR0913  # a load and its window
    signal: Signal,
    objective: Objective,
    window: Window,
    *,
    power: float,
    run_time: float,
    margin: Margin = NO_MARGIN,
) -> Plan:
    """Return when a load of one power in W runs, `run_time` seconds in all.

    Optimal: the best slots, and of the worst of them as much as is needed. What does not fit into
    the window is told as energy that is missing (`Wish.DEADLINE`, Wh).
    """
    return plan_charging(
        signal,
        objective,
        Connection(start=window.start, charger=Charger.fixed(power), quiet=window.quiet),
        [Need(energy=power * run_time / 3600.0, deadline=window.end)],
        margin=margin,
    )
