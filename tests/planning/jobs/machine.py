"""An appliance as it is in a kitchen: it has a programme, and pauses in the middle of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
import random

DISHWASHER = (
    [55.0] * 8
    + [2000.0] * 16
    + [60.0] * 30
    + [3.0] * 6
    + [2000.0] * 12
    + [60.0] * 4
    + [3.0] * 20
    + [25.0] * 2
)
"""W for each minute: wash, pause, rinse, dry, pump."""

WASHING = [300.0] * 3 + [2100.0] * 14 + [150.0, 220.0, 90.0] * 12 + [5.0] * 5 + [420.0] * 8
"""W for each minute: heat, turn, pause, spin."""


@dataclass(kw_only=True)
class Machine:
    """Runs its programme once it is started."""

    programme: Sequence[float]
    standby: float = 1.0
    noise: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311
    started: float | None = None

    def start(self, now: float) -> None:
        """Start, where it does not run."""
        if self.started is None or now - self.started >= 60.0 * len(self.programme):
            self.started = now

    def power(self, now: float) -> float:
        """Return the W that it takes."""
        place = -1 if self.started is None else int((now - self.started) / 60.0)
        power = self.programme[place] if 0 <= place < len(self.programme) else self.standby
        return max(0.0, power + self.chance.uniform(-self.noise, self.noise))

    def is_over(self, now: float) -> bool:
        """Return whether it has run."""
        return self.started is not None and now - self.started >= 60.0 * len(self.programme)
