"""What a hub has made of the messages since it began to run."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Messages by what became of them, since the hub began to run."""

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
    """Homes that were cut off in the last hour."""

    last_at: float | None = None
    """When the last footprint was taken, in seconds since 1970 UTC."""


class Counting:
    """Counts in the making: those of a batch count once it is committed."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._new_refused: Counter[str] = Counter()
        self._flooding: dict[str, float] = {}
        self._last_at: float | None = None
        self.snapshot = Counts()
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

    @property
    def refusals(self) -> Mapping[str, int]:
        """Return what was refused since `keep`, by code."""
        return dict(self._new_refused)

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
            last_at=self._last_at,
        )
