"""Which benchmarks there are. A new one is a module with `run` and a line in `BENCHMARKS`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Final

from benchmarks.rows import Row

type Run = Callable[[int | None], Sequence[Row]]
"""The `run` of a benchmark's module.

Takes the number of rounds, None for the benchmark's own. Prints progress on standard error.
Raises whatever keeps it from measuring.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """One benchmark; its module is imported when it is run, not before."""

    name: str
    summary: str
    module: str

    def run(self, rounds: int | None = None) -> Sequence[Row]:
        """Measure; see `Run`."""
        run: Run = import_module(self.module).run
        return run(rounds)


def by_name(*benchmarks: Benchmark) -> Mapping[str, Benchmark]:
    """Return benchmarks by their names, in their order."""
    return MappingProxyType({benchmark.name: benchmark for benchmark in benchmarks})


BENCHMARKS: Final = by_name(
    Benchmark(
        name="metering",
        summary="reading one meter, beside Home Assistant's modbus integration, and two hundred",
        module="benchmarks.metering.comparison",
    ),
    Benchmark(
        name="forecast",
        summary="carbon intensity a day ahead from its own past, beside 24 h persistence",
        module="benchmarks.forecast.comparison",
    ),
    Benchmark(
        name="carbon",
        summary="carbon emission flow of 70 nodes; a year of two hundred meters, beside pandas",
        module="benchmarks.carbon.comparison",
    ),
    Benchmark(
        name="planning",
        summary="plans of loads, beside straightforward planners, everything tried, and EMHASS",
        module="benchmarks.planning.comparison",
    ),
    Benchmark(
        name="backtest",
        summary="a year of loads in ten grids, beside the oracle and others' policies",
        module="benchmarks.planning.backtest",
    ),
    Benchmark(
        name="community-hub",
        summary="a hub of communities: ingest beside a bare loop, ten thousand homes, connections",
        module="benchmarks.community.comparison",
    ),
    Benchmark(
        name="community-loss",
        summary="a month of a thousand homes, hub, broker and homes killed meanwhile: the truth?",
        module="benchmarks.community.loss.comparison",
    ),
)
