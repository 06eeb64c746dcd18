"""What a hub has made of the messages: since it began to run, and what was refused ever."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

_NOT_LOOKED_AT: Final = ("retained", "flooded")
"""Fields of Counts that are kept with what was refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Messages by what became of them, since the hub began to run.

    What was refused or not looked at is counted over all its runs: the books keep it.
    """

    messages: int = 0
    accepted: int = 0
    duplicates: int = 0
    superseded: int = 0
    quarantined: int = 0
    consents: int = 0
    withdrawals: int = 0
    certificates: int = 0
    retained: int = 0
    """Kept by the broker from before: not looked at."""

    flooded: int = 0
    """Beyond what one home may say: not looked at."""

    late: int = 0
    """Footprints taken after most homes had told theirs."""

    strangers: int = 0
    """On topics of no home: nobody can be answered."""

    requested: int = 0
    """Periods asked for."""

    refused: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """By code."""

    flooding: tuple[str, ...] = ()
    """Homes of which something was dropped in the last hour."""

    cut: tuple[str, ...] = ()
    """Homes that the broker lets in no more for a while."""

    last_at: float | None = None
    """When the last footprint was taken, in seconds since 1970 UTC; before this run, heard."""


class Counting:
    """Counts in the making: those of a batch count once it is committed."""

    def __init__(
        self, refused: Mapping[str, int] | None = None, last_at: float | None = None
    ) -> None:
        """Begin with what earlier runs have refused, as `refusals` said it, and last heard."""
        self._refused = Counter(refused)
        self._kept = Counter({name: self._refused.pop(name, 0) for name in _NOT_LOOKED_AT})
        self._new: Counter[str] = Counter()
        self._new_refused: Counter[str] = Counter()
        self._flooding: dict[str, float] = {}
        self._cut: tuple[str, ...] = ()
        self._last_at = last_at
        self.snapshot = self._counts()
        """What holds, for any thread."""

    def add(self, name: str, count: int = 1) -> None:
        """Count under the name of a field of Counts."""
        self._new[name] += count

    def refuse(self, code: str) -> None:
        """Count a refusal."""
        self._new_refused[code] += 1

    def flood(self, home: str, now: float) -> None:
        """Count what a home says too much."""
        self._new["flooded"] += 1
        self._flooding[home] = now

    def cut(self, homes: tuple[str, ...]) -> None:
        """Take note of who is cut off."""
        if homes != self._cut:
            self._cut = homes
            self.snapshot = replace(self.snapshot, cut=homes)

    @property
    def refusals(self) -> Mapping[str, int]:
        """Return what was refused since `keep` by code, and what was not looked at by field."""
        unseen = {name: self._new[name] for name in _NOT_LOOKED_AT if self._new[name]}
        return {**self._new_refused, **unseen}

    def keep(self, now: float) -> None:
        """Let what was counted hold."""
        if self._new["accepted"]:
            self._last_at = now
        self._kept += self._new
        self._refused += self._new_refused
        self.drop()
        for home in [home for home, at in self._flooding.items() if at < now - 3600]:
            del self._flooding[home]
        self.snapshot = self._counts()

    def drop(self) -> None:
        """Forget what was counted since `keep`."""
        self._new = Counter()
        self._new_refused = Counter()

    def _counts(self) -> Counts:
        """Return what holds."""
        return Counts(
            **self._kept,
            refused=MappingProxyType(dict(self._refused)),
            flooding=tuple(sorted(self._flooding)),
            cut=self._cut,
            last_at=self._last_at,
        )
