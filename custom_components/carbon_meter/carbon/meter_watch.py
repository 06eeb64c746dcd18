"""Everything that is made of the readings of one meter, in one place and in one order.

Booked is every reading. What is shown, and when, is another matter: `due` says whether this
reading is shown, `window` sums up what lay between two that were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..metering.consistency import Consistency
from ..metering.incidents import Incident
from ..metering.metering_error import EnergyAudit, OwnError
from ..metering.profile import Profile
from ..metering.readings import Reading
from ..metering.rolling import HOUR
from ..metering.sampling import INSTANTANEOUS, Sampler, WindowSummary
from ..metering.significance import Significance
from ..metering.steps import LONGEST_SPACING, PowerStep, StepDetector
from .account import MeterAccount
from .intensity.ladder import Ladder
from .power_hours import PowerHours

_STANDS: Final = 3.0
"""Intervals for which a value stands where the next one does not come."""

_SHORTEST_STAND: Final = 30.0
"""Seconds; a meter that speaks by itself may pause for so long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What one reading has brought."""

    due: bool
    """Whether the entities are to be written now."""

    incidents: tuple[Incident, ...] = ()
    """What cannot be believed, as it begins and as it ends."""

    step: PowerStep | None = None


class MeterWatch:
    """Follows one meter: its account, its averages, its steps and its mistakes.

    `poll_interval` and `write_interval` in seconds are how often readings come and how often
    they are shown. `weighed` says whether the meter's import has the carbon of the supply.
    """

    def __init__(  # noqa: PLR0913  # what makes up a meter
        self,
        profile: Profile,
        ladder: Ladder,
        *,
        poll_interval: float,
        write_interval: float,
        weighed: bool = True,
        stored: Mapping[str, Any] | None = None,
    ) -> None:
        """Start anew, or go on with what `as_dict` gave before a restart."""
        longest = max(_SHORTEST_STAND, _STANDS * poll_interval)
        bounds = {"longest": longest, "max_power": profile.max_power}
        if stored is None:
            self.account = MeterAccount(
                profile, ladder, poll_interval=poll_interval, weighed=weighed
            )
        else:
            self.account = MeterAccount.from_dict(
                stored, profile, ladder, poll_interval=poll_interval, weighed=weighed
            )
        kept = stored or {}
        self.audit = (
            EnergyAudit.from_dict(kept["audit"], **bounds)
            if "audit" in kept
            else EnergyAudit(**bounds)
        )
        self.power = (
            PowerHours.from_dict(kept["power"], longest=longest)
            if "power" in kept
            else PowerHours(longest=longest)
        )
        self.window: WindowSummary | None = None
        """What lay between the last two readings that were shown."""

        self._steps = StepDetector() if poll_interval <= LONGEST_SPACING else None
        self._sampler = Sampler(
            [key for key in profile.quantities if key in INSTANTANEOUS], longest=longest
        )
        self._significance = Significance(interval=write_interval)
        self._consistency = Consistency(
            phases=profile.phases, max_power=profile.max_power, ongoing=self.account.ongoing
        )
        self._judged: int | None = None
        self._own_errors: dict[int, OwnError] = {}

    def observe(self, reading: Reading, *, monotonic: float) -> Watched:
        """Take a reading; `monotonic` in seconds is a clock that nobody sets."""
        time, values = reading.time, reading.values
        power = values.get("power")
        incidents = [
            *self.account.observe(reading),
            *self._noted(self._consistency.observe(reading, monotonic=monotonic)),
        ]
        if not self.account.is_blank:
            self.audit.observe(reading)
        incidents += self._judge()
        self.power.observe(time, power)
        self._sampler.observe(time, values)
        due = bool(incidents) | self._significance.is_due(time, values, reading.faults)
        if due:
            self.window = self._sampler.take(time)
        return Watched(
            due=due,
            incidents=tuple(incidents),
            step=self._steps.observe(time, power) if self._steps is not None else None,
        )

    def _judge(self) -> tuple[Incident, ...]:
        """Hold the counters against the power, whenever another stretch of time is complete."""
        until = self.audit.last_complete(HOUR)
        if until == self._judged:
            return ()
        self._judged = until
        error = self.own_error(HOUR)
        return () if error is None else self._noted(self._consistency.judge(error))

    def _noted(self, incidents: tuple[Incident, ...]) -> tuple[Incident, ...]:
        """Return those that are new to the account."""
        return tuple(incident for incident in incidents if self.account.note(incident))

    def own_error(self, length: int) -> OwnError | None:
        """Return the meter against its own power over the last hour or day (`HOUR`, `DAY`)."""
        until = self.audit.last_complete(length)
        known = self._own_errors.get(length)
        if known is None or known.until != until:
            known = self.audit.own_error(length)
            if known is None:
                return None
            self._own_errors[length] = known
        return known

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""
        return {
            **self.account.as_dict(),
            "audit": self.audit.as_dict(),
            "power": self.power.as_dict(),
        }
