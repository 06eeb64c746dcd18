"""What every load has in common: it is seen, it has a task, and a plan tells what it does now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ...carbon.flow.amounts import FloatArray
from ..alternatives import Member
from ..loads import Load
from ..objective import Objective
from ..plan import NO_MARGIN, Margin, Piece, Plan
from ..signal import Signal

type Stretches = tuple[tuple[float, float], ...]
"""From when to when, each in seconds since 1970 UTC, in order, none touching another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What is known of a load at a moment; None is not known."""

    moment: float
    """Seconds since 1970 UTC."""

    is_on: bool | None = None
    """Whether it runs."""

    power: float | None = None
    """W that it takes; below zero what a battery gives."""

    is_wanted: bool | None = None
    """Whether it is filled and ready (appliance), connected (car), or somebody is there (zone)."""

    level: float | None = None
    """Content of a car or a battery in per cent, or a temperature in degrees Celsius."""

    setpoint: float | None = None
    """Degrees Celsius that the device is set to."""

    stretches: Stretches | None = None
    """Of a calendar: when a car is away, or when a zone is occupied."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Around:
    """What surrounds a load: the signal and, for each of its slots, what else matters."""

    signal: Signal
    outside: FloatArray | None = None
    """Degrees Celsius; NaN is not known."""

    net: FloatArray | None = None
    """W that the site takes without its batteries and its planned loads; below zero it gives."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Planned:
    """A plan with what it leads to at the end of each of its slots."""

    plan: Plan
    contents: FloatArray | None = None
    """Degrees Celsius, or Wh of a battery."""

    shares: FloatArray | None = None
    """The part of its full light that a zone has in each slot, 0 to 1."""


class Task(Protocol):
    """What a load has to do from now on, as planners take it."""

    @property
    def start(self) -> float:
        """Return from when on it is planned: now."""

    @property
    def end(self) -> float:
        """Return until when it is planned."""

    @property
    def deadline(self) -> float | None:
        """Return by when what must be has to be done, None where nothing is due."""

    @property
    def run_time(self) -> float:
        """Return for how many seconds it has to run for that at its greatest power."""

    @property
    def load(self) -> Load | None:
        """Return what can share a fuse with others, None for stores and zones."""

    @property
    def member(self) -> Member:
        """Return what takes part in a simulation."""

    @property
    def is_rolling(self) -> bool:
        """Return whether it is never done, so that the newest plan counts: stores and zones."""

    def planned(
        self, signal: Signal, objective: Objective, *, margin: Margin = NO_MARGIN
    ) -> Planned:
        """Return its plan by itself; it computes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a device should do now; None is not said."""

    run: bool | None = None
    power: float | None = None
    """W; below zero a battery gives."""

    setpoint: float | None = None
    """Degrees Celsius."""

    brightness: float | None = None
    """Per cent of the full light."""


NO_TARGET: Final = Target()


class Job(Protocol):
    """What one load has to do, again and again."""

    def see(self, seen: Seen) -> bool:
        """Take what is seen of the load; return whether a new plan is needed for it.

        Seen again and again: whenever something changes and at least once a minute. Moments that
        go back, gaps of hours and impossible figures come.
        """

    def task(self, now: float, around: Around) -> Task | None:
        """Return what is to be planned now, None where nothing is."""

    def target(self, planned: Planned | None, now: float) -> Target:
        """Return what the load should do at a moment of its plan."""

    def done(self) -> tuple[Piece, ...] | None:
        """Return what the load took in a run that is finished, once; None for none."""

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take what `as_dict` gave; raises ValueError, KeyError or TypeError for anything else."""
