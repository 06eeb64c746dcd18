"""Processing, energy into carbon: the flow through a network, and the weighing of a site."""

from collections.abc import Sequence

from benchmarks.carbon import flow, weighing
from benchmarks.rows import Row


def run(rounds: int | None = None) -> Sequence[Row]:
    """Measure the one, then the other."""
    return [*flow.run(rounds), *weighing.run(rounds)]
