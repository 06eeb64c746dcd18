"""What a load asks of the planner of its site."""

from collections.abc import Collection
from datetime import tzinfo
from typing import TYPE_CHECKING, Protocol

from ..planning.explain import Speaker
from ..planning.objective import Objective
from ..planning.signal import Signal
from .realised import Ran

if TYPE_CHECKING:
    from .load import Load


class Plans(Protocol):
    """What a load asks of the planner of its site."""

    @property
    def speaker(self) -> Speaker:
        """Return how sentences are made."""

    @property
    def objective(self) -> Objective:
        """Return what plans make small."""

    def signal_over(self, start: float, end: float) -> Signal:
        """Return what came true and what is forecast."""

    async def async_replan(self, load_ids: Collection[str] | None = None) -> None:
        """Plan loads anew now."""

    def async_keep(self) -> None:
        """Write what must survive a restart, soon."""

    def has_room(self, load: Load, power: float) -> bool:
        """Return whether the fuse lets a load draw so much now."""

    def ran(self, load: Load, ran: Ran) -> None:
        """Take a run that is finished."""

    def zone_of_day(self) -> tzinfo:
        """Return the time zone of the home."""
