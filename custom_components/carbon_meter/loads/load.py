"""One load in Home Assistant: what it has to do, its plan, and what its device should do now."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, callback

from ..const import CONF_KIND, LOGGER
from ..drivers.clock import now as clock
from ..planning.explain import explain
from ..planning.jobs.appliance import ApplianceJob, Phase
from ..planning.jobs.charge import ChargeJob
from ..planning.jobs.job import NO_TARGET, Around, Job, Planned, Seen, Target, Task
from ..planning.jobs.learned_profile import ProfileLearner
from ..planning.plan import Plan, Reason, ReasonKind, runs
from ..refusals import refused
from .deadline import DeadlineGuard, has_time, may_miss
from .host import Plans
from .kept import Kept, kept_wishes, take_over
from .keys import (
    CONF_ENERGY,
    CONF_FINISH_BY,
    CONF_HOURS,
    CONF_LEARN,
    CONF_MUST,
    CONF_OVERRIDE_HOURS,
    CONF_READY_BY,
    CONF_TARGET,
    LoadKind,
)
from .override import end_of_override
from .peak import greatest_power
from .realised import Ran, Realised
from .session import Session
from .settings import LoadSettingsError, job_of

_MOVABLE: Final = frozenset({LoadKind.APPLIANCE, LoadKind.RUN_TIME, LoadKind.EV})
"""Kinds that have something to do by a deadline; the others are never done."""

WISHES: Final[Mapping[LoadKind, frozenset[str]]] = {
    LoadKind.APPLIANCE: frozenset({CONF_FINISH_BY}),
    LoadKind.RUN_TIME: frozenset({CONF_HOURS}),
    LoadKind.EV: frozenset({CONF_READY_BY, CONF_TARGET, CONF_MUST, CONF_ENERGY}),
}
"""What can be changed at the dashboard, by the kind of a load."""


class Load:
    """A load of a site. All of it happens in the event loop.

    Entities, actions and blueprints read it; `async_add_listener` tells of every change. What the
    planner calls is `observe`, `adopt`, `clear` and `restore`.
    """

    def __init__(self, subentry: ConfigSubentry, job: Job, plans: Plans) -> None:
        """Take the subentry of the load with the job that its data tell."""
        self.subentry = subentry
        self.kind = LoadKind(subentry.data[CONF_KIND])
        self.data: Mapping[str, Any] = subentry.data
        self.job = job
        self.planned: Planned | None = None
        """The plan from when it was made on; `plan` is that of the whole run."""

        self.plan_made: float | None = None
        self.target: Target = NO_TARGET
        self.deadline: float | None = None
        self.is_at_risk = False
        self.override_until: float | None = None
        self.wishes: dict[str, float | str] = {}
        self.realised = Realised()
        self.seen: Seen | None = None
        self.around: Around | None = None
        """What surrounded it when it was planned last."""

        self.session = Session()
        learns = self.kind is LoadKind.APPLIANCE and self.data.get(CONF_LEARN, True)
        self.learner = ProfileLearner() if learns else None
        self._plans = plans
        self._shown: Plan | None = None
        self._is_rolling = False
        self._was_late = False
        """Of what is never done: whether what was due once had too little time left."""

        self._guard = DeadlineGuard()
        self._is_urged = False
        self._listeners: set[Callable[[], None]] = set()
        self._told: tuple[Any, ...] = ()

    # What is read

    @property
    def id(self) -> str:
        """Return the id of its subentry."""
        return self.subentry.subentry_id

    @property
    def name(self) -> str:
        """Return what the user calls it."""
        return self.subentry.title

    @property
    def plan(self) -> Plan | None:
        """Return its plan, with what has run of it already; None where nothing is to be done."""
        return self._shown

    @property
    def explanation(self) -> str:
        """Return the plan in a sentence in the language of the home, empty without a plan."""
        return "" if self._shown is None else explain(self._shown, self._plans.speaker)

    @property
    def run_now(self) -> bool | None:
        """Return whether it should run, None where that is not said."""
        return self.target.run

    @property
    def runs(self) -> tuple[tuple[float, float], ...]:
        """Return from when to when the present plan lets it run, also what is past of it."""
        return () if self._shown is None else tuple(runs(self._shown.pieces))

    @property
    def next_start(self) -> float | None:
        """Return when it starts next, None where nothing is to come."""
        now = clock()
        return next((start for start, _ in self.runs if start > now), None)

    @property
    def saving_planned(self) -> float | None:
        """Return the gCO2eq that the plan saves against running at once."""
        return None if self._shown is None else self._shown.saved_carbon

    @property
    def cost_planned(self) -> float | None:
        """Return the currency that the plan saves against running at once."""
        return None if self._shown is None else self._shown.saved_cost

    @property
    def is_overridden(self) -> bool:
        """Return whether the user has taken over."""
        return self.override_until is not None and clock() < self.override_until

    @property
    def is_ready(self) -> bool:
        """Return whether an appliance waits for its start, or runs."""
        return isinstance(self.job, ApplianceJob) and self.job.is_armed

    @property
    def base_setpoint(self) -> float | None:
        """Return what the setpoint is where nothing is shifted, None where that is not known."""
        base: float | None = getattr(self.job, "base_setpoint", None)
        return base

    def next_edge(self, now: float) -> float | None:
        """Return when anything of its plan or its override changes next, None for never."""
        plan = None if self.planned is None else self.planned.plan
        moments = [self.override_until] if self.override_until is not None else []
        if plan is not None:
            moments += [moment for piece in plan.pieces for moment in (piece.start, piece.end)]
            if self._is_rolling:
                moments += plan.slots.ends.tolist()
        return min((moment for moment in moments if moment > now), default=None)

    def settings(self) -> dict[str, Any]:
        """Return its data with what was changed at the dashboard."""
        return {**self.data, **self.wishes}

    # What is done to it

    @callback
    def async_add_listener(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call back when anything has changed; returns how to stop it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def async_override(self, hours: float | None = None) -> None:
        """Let the user take over for some hours, at the latest until the deadline; 0 ends it.

        Without hours it lasts as long as the load's settings say.
        """
        told = self.data.get(CONF_OVERRIDE_HOURS)
        self.override_until = end_of_override(clock(), hours, told, self.deadline)
        self._changed()

    async def async_ready(self, finish_by: datetime | None = None) -> None:
        """Plan the run of an appliance that is filled, or a departure, by a time that holds once.

        Without a time that of the settings holds. Raises ServiceValidationError for a load of
        another kind, and for a time that is past.
        """
        now = clock()
        moment = None if finish_by is None else finish_by.timestamp()
        if moment is not None and moment <= now:
            raise refused("load_time_past", load=self.name)
        if isinstance(self.job, ApplianceJob):
            self.job.ready(now, moment)
        elif isinstance(self.job, ChargeJob):
            self.job.leave_at(moment)
        else:
            raise refused("load_not_armed", load=self.name)
        await self._plan_anew()

    async def async_cancel(self) -> None:
        """Take back what `async_ready` or `async_start_now` have said."""
        self._is_urged = False
        if isinstance(self.job, ApplianceJob):
            self.job.cancel()
        elif isinstance(self.job, ChargeJob):
            self.job.leave_at(None)
        await self._plan_anew()

    async def async_start_now(self) -> None:
        """Let it run at once, whatever the plan, until it has what it needs.

        Raises ServiceValidationError for what is never done: it has an override.
        """
        if self.kind not in _MOVABLE:
            raise refused("load_not_started", load=self.name)
        if isinstance(self.job, ApplianceJob):
            self.job.start_now(clock())
        else:
            self._is_urged = True
        await self._plan_anew()

    async def async_wish(self, key: str, value: float | str) -> None:
        """Change what the load has to do: from now on, whatever its settings say.

        Raises ServiceValidationError for what cannot be.
        """
        if key not in WISHES.get(self.kind, ()):
            raise refused("load_no_such_wish", load=self.name, wish=key)
        wishes = {**self.wishes, key: value}
        try:
            job = job_of({**self.data, **wishes}, self._plans.zone_of_day(), self.name)
        except LoadSettingsError as err:
            raise refused("load_wish_impossible", load=self.name, problem=str(err)) from err
        take_over(job, {"job": self.job.as_dict()}, "job", self.name)
        self.wishes, self.job = wishes, job
        self._use_learned()
        await self._plan_anew()

    async def _plan_anew(self) -> None:
        self._changed()
        await self._plans.async_replan((self.id,))

    # What the planner does

    def observe(self, seen: Seen) -> bool:
        """Take what is seen of it; return whether it needs another plan."""
        self.seen = seen
        is_needed = self.job.see(seen)
        self._learn(seen)
        if (taken := self.job.done()) is not None:
            self._ran(Ran.of(self.session, taken, seen.moment))
            is_needed = True
        return self.look(seen.moment) or is_needed

    def _learn(self, seen: Seen) -> None:
        """Let an appliance learn the course of its power."""
        if self.learner is not None and self.learner.see(seen.moment, seen.power):
            self._use_learned()
            self._plans.async_keep()

    def _use_learned(self) -> None:
        """Plan an appliance with the course of power that was learned, if there is one."""
        if self.learner is None or not isinstance(self.job, ApplianceJob):
            return
        if (profile := self.learner.profile()) is not None:
            self.job.settings = replace(
                self.job.settings, profile=profile, standby_watts=self.learner.threshold
            )

    def look(self, now: float) -> bool:
        """Say anew what it should do now; return whether it needs another plan."""
        if self.override_until is not None and now >= self.override_until:
            self.override_until = None
            self._plans.async_keep()
        target = self.job.target(self.planned, now)
        task = None
        if self.around is not None and self.kind in _MOVABLE:
            task = self.job.task(now, self.around)
        is_needed = self._guard.look(task, now)
        if self._guard.must_run and task is not None and not target.run:
            power = greatest_power(task)
            if self._plans.has_room(self, power or 0.0):
                target = replace(target, run=True, power=power)
        plan = None if self.planned is None else self.planned.plan
        self.is_at_risk = self._was_late if self._is_rolling else may_miss(task, plan, now)
        if (target.run, target.setpoint) != (self.target.run, self.target.setpoint):
            # What was asked for last must not be taken for the user's after a crash.
            self._plans.async_keep()
        self.target = target
        self.tell()
        return is_needed

    def adopt(self, planned: Planned, task: Task, now: float) -> None:
        """Follow a plan from now on."""
        self._is_rolling = task.is_rolling
        self._was_late = task.deadline is not None and now > task.deadline - task.run_time
        self._pass(now)
        if self._is_urged and self._plans.has_room(self, greatest_power(task) or 0.0):
            planned = _at_once(planned)
        if planned.plan.reason.kind is ReasonKind.MUST_RUN and has_time(task, now):
            planned = replace(
                planned, plan=replace(planned.plan, reason=Reason(kind=ReasonKind.GOES_ON))
            )
        self.session = self.session.planned(planned.plan, now, is_rolling=task.is_rolling)
        self.planned, self.plan_made, self.deadline = planned, now, task.deadline
        self._shown = planned.plan
        if not task.is_rolling:
            plans = self._plans
            self._shown = self.session.shown(planned.plan, plans.signal_over, plans.objective)
        self._plans.async_keep()
        self.look(now)

    def clear(self, now: float) -> None:
        """Take note that nothing is to be planned: what runs is not interrupted."""
        if self.planned is not None and self.job.target(self.planned, now).run:
            self.look(now)
            return
        self._pass(now)
        if not self.session.begun and not self._is_rolling:
            self.session = Session()
        if self.planned is not None:
            self._forget_plan()
        self.look(now)

    def _forget_plan(self) -> None:
        self.planned = self._shown = None
        self._was_late = False
        self.plan_made = self.deadline = None
        self._plans.async_keep()

    def _pass(self, now: float) -> None:
        """Take note of what the plan so far has let it take."""
        if not (self._is_rolling or self.planned is None or self.plan_made is None):
            self.session = self.session.passed(self.planned.plan, self.plan_made, now)

    def _ran(self, ran: Ran) -> None:
        """Take note that a run is finished."""
        if ran.taken:
            self._plans.ran(self, ran)
        self.session, self._is_urged = Session(), False
        if self.kind in _MOVABLE:
            self._forget_plan()

    def _changed(self) -> None:
        """Tell that something was changed by hand, and keep it."""
        self._plans.async_keep()
        self.tell(always=True)

    def tell(self, *, always: bool = False) -> None:
        """Tell who listens, where something is not as it was told."""
        told = (
            self.target,
            self._shown,
            self.plan_made,
            self.deadline,
            self.is_at_risk,
            self.override_until,
            self.is_ready,
            self.next_start,
            self.base_setpoint,
            self.realised.version,
        )
        if always or told != self._told:
            self._told = told
            for listener in list(self._listeners):
                try:
                    listener()
                except Exception:  # noqa: BLE001  # the others are told all the same
                    LOGGER.exception("%s: what has changed could not be shown", self.name)

    # What survives a restart

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        kept = Kept(
            planned=self.planned,
            plan_made=self.plan_made,
            deadline=self.deadline,
            session=self.session,
            override_until=self.override_until,
            is_urged=self._is_urged,
            is_rolling=self._is_rolling,
            realised=self.realised,
        )
        return {
            **kept.as_dict(),
            "job": self.job.as_dict(),
            "learner": None if self.learner is None else self.learner.as_dict(),
            "wishes": dict(self.wishes),
            "told": {key: self.data.get(key) for key in self.wishes},
        }

    def restore(self, data: Mapping[str, Any], until: float, now: float) -> None:
        """Take what `as_dict` gave at a moment before; each part that cannot be read is left out.

        A plan that is past is dropped, one that goes on is followed from now on. What was changed
        at the dashboard holds until the settings of the load say something else than then.
        """
        self.wishes = kept_wishes(data, self.data, WISHES.get(self.kind, ()))
        if self.wishes:
            try:
                self.job = job_of(self.settings(), self._plans.zone_of_day(), self.name)
            except LoadSettingsError as err:
                LOGGER.warning("%s: what was changed does not fit any more: %s", self.name, err)
                self.wishes = {}
        take_over(self.job, data, "job", self.name)
        if self.learner is not None:
            take_over(self.learner, data, "learner", self.name)
            self._use_learned()
        kept = Kept.from_dict(data, self.name)
        self.realised, self.session = kept.realised, kept.session
        self.override_until, self._is_urged = kept.override_until, kept.is_urged
        self._is_rolling = kept.is_rolling
        if kept.planned is None or kept.plan_made is None:
            return
        if not kept.is_rolling:
            # An appliance that runs does so without Home Assistant, too.
            is_running = isinstance(self.job, ApplianceJob) and self.job.phase is Phase.RUNNING
            passed = now if is_running else min(until, now)
            self.session = self.session.passed(kept.planned.plan, kept.plan_made, passed)
        if kept.end is not None and kept.end > now:
            self.planned, self.plan_made, self.deadline = kept.planned, now, kept.deadline
            self._shown = kept.planned.plan


def _at_once(planned: Planned) -> Planned:
    """Return the plan of a load that was started by hand: running at once."""
    plan = planned.plan
    return replace(
        planned,
        plan=replace(
            plan,
            pieces=plan.baseline_pieces,
            outcome=plan.baseline,
            reason=Reason(kind=ReasonKind.MUST_RUN),
        ),
    )
