"""Rows: what a benchmark found out, one comparison each."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, quantiles
from typing import Any, Self

from benchmarks.machine import describe


class Better(StrEnum):
    """Which figures are the good ones."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A median, and the quartiles as its spread."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """Return the figure of at least one sample."""
        if len(samples) == 1:
            return cls(median=samples[0], low=samples[0], high=samples[0])
        low, _, high = quantiles(samples, n=4, method="inclusive")
        return cls(median=median(samples), low=low, high=high)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One comparison of ours with a peer."""

    benchmark: str
    what: str
    unit: str
    better: Better
    ours: Figure
    peer: Figure
    peer_name: str
    repeats: int
    """How many samples each figure is the median of."""

    machine: str

    @property
    def ratio(self) -> float:
        """Return how many times better ours is than the peer: above 1 ours is better."""
        if self.better is Better.LOWER:
            return self.peer.median / self.ours.median
        return self.ours.median / self.peer.median

    def as_dict(self) -> dict[str, Any]:
        """Return what is written as a line of JSON."""
        return {
            "benchmark": self.benchmark,
            "what": self.what,
            "unit": self.unit,
            "better": self.better.value,
            "ours": self.ours.median,
            "ours_spread": [self.ours.low, self.ours.high],
            "peer": self.peer.median,
            "peer_spread": [self.peer.low, self.peer.high],
            "peer_name": self.peer_name,
            "ratio": self.ratio,
            "repeats": self.repeats,
            "machine": self.machine,
        }


def compare(  # noqa: PLR0913  # what makes up a row
    *,
    benchmark: str,
    what: str,
    unit: str,
    better: Better,
    ours: Sequence[float],
    peer: Sequence[float],
    peer_name: str,
) -> Row:
    """Return the row of samples that were taken in turns on this machine.

    Raises ValueError when one side has more samples than the other, or none.
    """
    if not len(ours) == len(peer) > 0:
        raise ValueError(f"{what}: {len(ours)} samples of ours, {len(peer)} of {peer_name}")
    return Row(
        benchmark=benchmark,
        what=what,
        unit=unit,
        better=better,
        ours=Figure.of(ours),
        peer=Figure.of(peer),
        peer_name=peer_name,
        repeats=len(ours),
        machine=describe(),
    )
