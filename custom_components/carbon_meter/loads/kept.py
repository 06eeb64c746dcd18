"""What is kept of a load over a restart, read with care: a file may hold anything."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ..const import LOGGER
from ..planning.jobs.job import Job, Planned
from ..planning.jobs.learned_profile import ProfileLearner
from .realised import Realised
from .session import Session
from .stored import planned_as_dict, planned_from_dict


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Kept:
    """The state of a load beside that of its job."""

    planned: Planned | None = None
    plan_made: float | None = None
    deadline: float | None = None
    session: Session = field(default_factory=Session)
    override_until: float | None = None
    is_urged: bool = False
    is_rolling: bool = False
    realised: Realised = field(default_factory=Realised)

    def as_dict(self) -> dict[str, Any]:
        """Return what goes into the file."""
        return {
            "planned": None if self.planned is None else planned_as_dict(self.planned),
            "plan_made": self.plan_made,
            "deadline": self.deadline,
            "session": self.session.as_dict(),
            "override_until": self.override_until,
            "is_urged": self.is_urged,
            "is_rolling": self.is_rolling,
            "realised": self.realised.as_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], name: str) -> Self:
        """Return what `as_dict` gave; a part that cannot be read is left out, and logged."""
        return cls(
            realised=_read(data, "realised", name, Realised.from_dict) or Realised(),
            session=_read(data, "session", name, Session.from_dict) or Session(),
            planned=_read(data, "planned", name, planned_from_dict),
            plan_made=_read(data, "plan_made", name, float),
            deadline=_read(data, "deadline", name, float),
            override_until=_read(data, "override_until", name, float),
            is_urged=data.get("is_urged") is True,
            is_rolling=data.get("is_rolling") is True,
        )

    @property
    def end(self) -> float | None:
        """Return until when its plan says anything, None for never."""
        if self.planned is None or self.plan_made is None:
            return None
        plan = self.planned.plan
        if self.is_rolling:
            return plan.slots.end if len(plan.slots) else None
        return plan.end


def kept_wishes(
    data: Mapping[str, Any], settings: Mapping[str, Any], possible: Collection[str]
) -> dict[str, float | str]:
    """Return what was changed at the dashboard, where the settings say what they said then."""
    wishes, told = _part(data, "wishes"), _part(data, "told")
    return {
        key: value
        for key, value in wishes.items()
        if key in possible
        and isinstance(value, int | float | str)
        and told.get(key) == settings.get(key)
    }


def take_over(job: Job | ProfileLearner, data: Mapping[str, Any], key: str, name: str) -> None:
    """Let a job go on with what another one kept."""
    if not (part := _part(data, key)):
        return
    try:
        job.restore(part)
    except (KeyError, TypeError, ValueError) as err:
        LOGGER.warning("%s: what was known of its run is lost: %r", name, err)


def _part(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of what was kept, an empty one where there is none."""
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _read[Found](
    data: Mapping[str, Any], key: str, name: str, read: Callable[[Any], Found]
) -> Found | None:
    """Return a part as it is read, None where there is none that can be."""
    value = data.get(key)
    if value is None:
        return None
    try:
        return read(value)
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        LOGGER.warning("%s: %s cannot be read: %r", name, key, err)
        return None
