"""The task of a load whose runs can be moved: a block, a run time, or energy by deadlines."""

from dataclasses import dataclass

from ..alternatives import Member, Movable
from ..block import plan_block
from ..charging import plan_charging
from ..loads import BlockLoad, ChargeLoad, Load, RunLoad
from ..objective import Objective
from ..plan import NO_MARGIN, Margin, Plan
from ..run_time import plan_run_time
from ..signal import Signal
from .job import Planned, Stretches


@dataclass(frozen=True, kw_only=True, slots=True)
class MovableTask:
    """A load to be planned from `start` on; see `Task`."""

    load: Load
    start: float
    deadline: float | None
    run_time: float

    @property
    def end(self) -> float:
        """Return until when it is planned."""
        return max(self.start, self.load.end)

    @property
    def member(self) -> Member:
        """Return what takes part in a simulation."""
        return Movable(self.load)

    @property
    def is_rolling(self) -> bool:
        """Return that it is done one day."""
        return False

    @property
    def closed(self) -> Stretches:
        """Return when it should not run, or cannot: what `kept` does not extend a plan into."""
        away = self.load.connection.away if isinstance(self.load, ChargeLoad) else ()
        return tuple(sorted((*self.load.quiet, *away)))

    def planned(
        self, signal: Signal, objective: Objective, *, margin: Margin = NO_MARGIN
    ) -> Planned:
        """Return its plan by itself; it computes."""
        return Planned(plan=_plan(self.load, signal, objective, margin))


def _plan(load: Load, signal: Signal, objective: Objective, margin: Margin) -> Plan:
    """Return the plan of a load; what a later run gains has to exceed the margin."""
    match load:
        case BlockLoad():
            return plan_block(signal, objective, load.profile, load.window, margin=margin)
        case RunLoad():
            return plan_run_time(
                signal,
                objective,
                load.window,
                load.rules,
                power=load.power,
                run_time=load.run_time,
                state=load.state,
                margin=margin,
            )
        case ChargeLoad():
            return plan_charging(signal, objective, load.connection, load.needs, margin=margin)
