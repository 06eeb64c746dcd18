"""What is mixed at one place of a site, interval by interval."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..flow.amounts import FloatArray
from ..flow.network import UNMETERED
from ..grade import BEST_FIRST, Grade
from ..supply.metered import GRID, WeighedNetwork


@dataclass(frozen=True, kw_only=True)
class Place:
    """The mix at one place."""

    grid_share: FloatArray
    """[T] part that comes from the grid, or is taken to."""

    others: FloatArray
    """[T] gCO2eq that the other sources bring into one kWh of the mix."""

    quality: FloatArray
    """[T, grade] part of the mix that is known so well."""

    def part(self, first: int, stop: int) -> Place:
        """Return the mix of some of the intervals."""
        return Place(
            grid_share=self.grid_share[first:stop],
            others=self.others[first:stop],
            quality=self.quality[first:stop],
        )


@dataclass(frozen=True, kw_only=True)
class Mix:
    """What is mixed at the places of a site, and which meter takes from which."""

    nodes: Mapping[str, str | None]
    """The node of each meter; None for the grid alone."""

    places: Mapping[str, Place]
    """By node."""

    def place(self, meter_id: str) -> Place | None:
        """Return where a meter takes its energy from; None for the grid alone."""
        node = self.nodes.get(meter_id)
        return None if node is None else self.places[node]


def joined(parts: Sequence[tuple[Mix, int, int]], of_grid: Place, meters: Iterable[str]) -> Mix:
    """Return the mix of some meters through consecutive parts of mixes: each from, and up to.

    `of_grid` is what comes from the grid alone, over all of them.
    """
    nodes: dict[str, str | None] = {}
    places: dict[str, Place] = {}
    for meter_id in meters:
        route = tuple(mix.nodes.get(meter_id) for mix, _, _ in parts)
        name = None if not any(route) else "/".join(str(node) for node in dict.fromkeys(route))
        nodes[meter_id] = name
        if name is None or name in places:
            continue
        pieces: list[Place] = []
        at = 0
        for mix, first, stop in parts:
            own = mix.place(meter_id)
            whole = of_grid.part(at, at + stop - first) if own is None else own.part(first, stop)
            pieces.append(whole)
            at += stop - first
        places[name] = Place(
            grid_share=np.concatenate([piece.grid_share for piece in pieces]),
            others=np.concatenate([piece.others for piece in pieces]),
            quality=np.concatenate([piece.quality for piece in pieces]),
        )
    return Mix(nodes=nodes, places=places)


def place_at(weighed: WeighedNetwork, node: str, grades: NDArray[np.intp]) -> Place:
    """Return what is mixed at a node; where nothing is known to come in, the grid's energy."""
    network = weighed.flow.metered.network
    shares = weighed.flow.flow.shares[:, network.node(node), :]
    known = np.isfinite(shares).all(axis=-1) & (shares.sum(axis=-1) > 0.0)
    parts = np.where(known[:, np.newaxis], shares, 0.0)
    of_grid = np.array([kind in {GRID, UNMETERED} for kind in network.sources])
    grid_share = np.where(known, parts[:, of_grid].sum(axis=-1), 1.0)
    others = np.einsum("ts,ts->t", parts[:, ~of_grid], weighed.intensity[:, ~of_grid])
    quality = np.einsum("ts,tsg->tg", parts, weighed.quality)
    assumed = np.maximum(grades, BEST_FIRST.index(Grade.ESTIMATED))
    quality[~known] = np.eye(len(BEST_FIRST))[assumed[~known]]
    # What rounding leaves where everything comes from the grid is no share of its own.
    alone = ~parts[:, ~of_grid].any(axis=-1)
    return Place(
        grid_share=np.where(alone, 1.0, grid_share),
        others=others,
        quality=quality,
    )


def where_active(active: NDArray[np.bool_], own: Place, above: Place) -> Place:
    """Return a place that has a mix of its own in some intervals and that above it in others."""
    return Place(
        grid_share=np.where(active, own.grid_share, above.grid_share),
        others=np.where(active, own.others, above.others),
        quality=np.where(active[:, np.newaxis], own.quality, above.quality),
    )
