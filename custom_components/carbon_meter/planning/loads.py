"""The kinds of loads that are planned together, and each by itself."""

from dataclasses import dataclass, replace

import numpy as np

from ..carbon.flow.amounts import FloatArray
from .block import Profile, plan_block
from .charging import Connection, Need, plan_charging
from .objective import Objective
from .plan import Plan
from .run_time import FREELY, RESTED, Rules, State, plan_run_time
from .signal import Signal
from .window import Window


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockLoad:
    """One run without a pause."""

    name: str
    profile: Profile
    window: Window

    @property
    def start(self) -> float:
        """Return when it may run first."""
        return self.window.start

    @property
    def end(self) -> float:
        """Return when it should have run."""
        return self.window.end

    @property
    def quiet(self) -> tuple[tuple[float, float], ...]:
        """Return when it should not run."""
        return self.window.quiet

    def planned(self, signal: Signal, objective: Objective) -> Plan:
        """Return the plan of the load by itself."""
        return plan_block(signal, objective, self.profile, self.window)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLoad:
    """A run time at one power in W, in seconds, in runs that follow rules."""

    name: str
    power: float
    run_time: float
    window: Window
    rules: Rules = FREELY
    state: State = RESTED

    @property
    def start(self) -> float:
        """Return when it may run first."""
        return self.window.start

    @property
    def end(self) -> float:
        """Return when it should have run."""
        return self.window.end

    @property
    def quiet(self) -> tuple[tuple[float, float], ...]:
        """Return when it should not run."""
        return self.window.quiet

    def planned(self, signal: Signal, objective: Objective) -> Plan:
        """Return the plan of the load by itself."""
        return plan_run_time(
            signal,
            objective,
            self.window,
            self.rules,
            power=self.power,
            run_time=self.run_time,
            state=self.state,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ChargeLoad:
    """Energy by deadlines; `connection.limit`, if there is one, is for the slots of the signal."""

    name: str
    connection: Connection
    needs: tuple[Need, ...]

    @property
    def start(self) -> float:
        """Return when it may run first."""
        return self.connection.start

    @property
    def end(self) -> float:
        """Return when it should have run."""
        return max((need.deadline for need in self.needs), default=self.start)

    @property
    def quiet(self) -> tuple[tuple[float, float], ...]:
        """Return when it should not run."""
        return self.connection.quiet

    def planned(self, signal: Signal, objective: Objective) -> Plan:
        """Return the plan of the load by itself."""
        return plan_charging(signal, objective, self.connection, self.needs)

    def limited(self, limit: FloatArray) -> ChargeLoad:
        """Return the load with a limit in W for each slot of the signal."""
        own = self.connection.limit
        within = limit if own is None else np.minimum(limit, own)
        return replace(self, connection=replace(self.connection, limit=within))


type Load = BlockLoad | RunLoad | ChargeLoad
