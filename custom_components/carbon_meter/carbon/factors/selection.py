"""Which factors qualify for a purpose."""

from collections.abc import Callable, Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Final

from .factor import Carrier, FactorSource, Method, Scope, Stage
from .technology import Technology

type SourceFilter = Callable[[FactorSource], bool]

AVERAGES: Final = frozenset({Method.GENERATION_AVERAGE, Method.CONSUMPTION_AVERAGE})
"""Methods that share all emissions among all energy."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A filter for sources of which all of these are true; the grid's average as it stands."""

    carrier: Carrier = Carrier.ELECTRICITY
    stage: Stage = Stage.GENERATION
    scope: Scope | None = None
    """None lets both qualify."""

    methods: AbstractSet[Method] = AVERAGES
    technology: Technology | None = None
    biogenic: bool = False
    table: str | None = None
    """Id of the only file to look in."""

    def __call__(self, source: FactorSource) -> bool:
        """Return whether a source qualifies."""
        return (
            source.carrier == self.carrier
            and source.stage == self.stage
            and (self.scope is None or source.scope == self.scope)
            and source.method in self.methods
            and source.technology == self.technology
            and source.biogenic == self.biogenic
            and (self.table is None or source.id == self.table)
        )


is_grid_average: Final = Selection()
"""What electricity from the grid emits on average."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which factor is looked for: where, among which sources, known by which day."""

    zone: str | None
    sources: SourceFilter = is_grid_average
    as_of: date | None = None
    """Leaves out what was published later; None asks what is known now."""
