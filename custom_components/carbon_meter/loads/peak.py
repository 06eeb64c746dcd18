"""The power that a load has while it runs."""

from ..planning.jobs.job import Task
from ..planning.loads import BlockLoad, ChargeLoad, RunLoad


def greatest_power(task: Task) -> float | None:
    """Return the greatest power in W of what is to be done, None for stores and zones."""
    match task.load:
        case BlockLoad(profile=profile):
            return float(profile.powers.max())
        case RunLoad(power=power):
            return power
        case ChargeLoad(connection=connection):
            return connection.charger.most
        case None:
            return None
