"""An attacker who keeps everything that was ever published, and does linear algebra with it.

He knows who has told what of which period, and which parts each published figure is made of; he
does not know the amounts. A combination of figures that is made of fewer than k homes, or of one
that dominates, would be his success.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.hub.publishing import Publisher
from custom_components.carbon_meter.community.hub.releases import Releases
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import CellKey, Scope
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.privacy.parts import homes_of, periods_of

SERIES = (Flow.GRID_IMPORT, Kind.AVERAGE)

type Part = tuple[int, int, int, int]
"""Number of the home, start, duration, revision."""


def made_of(
    ledger: Ledger, releases: Releases, grain: Grain, begin: int, scope: tuple[str, str]
) -> set[Part]:
    """Return the parts that a cell says it is made of, down from its own file."""
    calendar = ledger.calendar
    end = calendar.end(grain, begin)
    result: set[Part] = set()
    for shorter in (Grain.HOUR, Grain.DAY):
        if shorter is Grain.DAY and grain is Grain.HOUR:
            break
        for start, flow, kind in releases.marks(shorter, 0):
            if (flow, kind) != SERIES or not begin <= start < end:
                continue
            bucket = releases.bucket(SERIES, shorter, start)
            assert bucket is not None
            held = np.isin(bucket.given.label, bucket.given.holds.get(scope, ()))
            day = calendar.day(start, 3600) if shorter is Grain.HOUR else start
            result |= _parts(bucket.given.key[held], day)
            if grain in (Grain.MONTH, Grain.YEAR) and shorter is Grain.DAY:
                # What a month has shown of what waited: these tests have one scope for that.
                result |= _parts(bucket.taken, day)
    return result


def _parts(keys, day: int) -> set[Part]:
    homes, periods = homes_of(keys).tolist(), periods_of(keys, day)
    return set(zip(homes, *(each.tolist() for each in periods), strict=True))


@dataclass
class Attacker:
    """Everything that was ever shown, as rows of a matrix over parts."""

    shown: list[tuple[frozenset[Part], int]] = field(default_factory=list)
    seen: set[tuple[CellKey, int | None]] = field(default_factory=set)

    def look(self, ledger: Ledger, releases: Releases, publisher: Publisher) -> None:
        """Write down all that can be read now."""
        for scope, name in publisher.scopes():
            for grain in (Grain.HOUR, Grain.DAY, Grain.MONTH):
                for cell in publisher.cells(grain, 0, 1 << 40, scope=scope, name=name):
                    if cell.wh is None or (cell.key, cell.revision) in self.seen:
                        continue
                    self.seen.add((cell.key, cell.revision))
                    if grain is Grain.MONTH and scope is not Scope.COMMUNITY:
                        continue
                    parts = made_of(ledger, releases, grain, cell.key.begin, (scope.value, name))
                    self.shown.append((frozenset(parts), cell.wh))

    def is_true(self, amounts: Mapping[Part, int]) -> bool:
        """Return whether each figure is the sum of the parts that it is said to be made of."""
        return all(sum(amounts[part] for part in parts) == wh for parts, wh in self.shown)

    def fewest(self) -> int | None:
        """Return the fewest homes that any class of parts has, which bounds all combinations."""
        classes: dict[tuple[bool, ...], set[int]] = {}
        for part in set().union(*(parts for parts, _ in self.shown)) if self.shown else ():
            mark = tuple(part in parts for parts, _ in self.shown)
            classes.setdefault(mark, set()).add(part[0])
        return min(map(len, classes.values()), default=None)

    def solves_for(self, homes: Iterable[int]) -> bool:
        """Return whether some combination of figures is of these homes alone.

        The parts of all others have to cancel while something is left.
        """
        everything = sorted(set().union(*(parts for parts, _ in self.shown)))
        matrix = np.array([[part in parts for part in everything] for parts, _ in self.shown])
        chosen = set(homes)
        others = np.array([part[0] not in chosen for part in everything])
        whole = np.unique(matrix, axis=1).astype(float)
        rest = np.unique(matrix[:, others], axis=1).astype(float)
        return bool(np.linalg.matrix_rank(rest) < np.linalg.matrix_rank(whole))

    def finds(self, k: int) -> set[int] | None:
        """Return homes, fewer than k, of which a combination of figures is; None if there are none.

        All sets of up to three homes are tried, and all homes but k - 1 of each class.
        """
        homes = sorted({part[0] for parts, _ in self.shown for part in parts})
        for few in (1, 2, 3):
            for some in combinations(homes, few):
                if few < k and self.solves_for(some):
                    return set(some)
        return None
