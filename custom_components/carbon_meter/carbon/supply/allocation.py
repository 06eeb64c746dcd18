"""Who fed whom at one node in an interval: sources times sinks, in Wh."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np

from ..flow.amounts import Amount, FloatArray, ImpossibleAmountError, amounts


class Source(IntEnum):
    """Where energy came from: the rows of an allocation."""

    GRID = 0
    SOLAR = 1
    BATTERY = 2
    UNMETERED = 3
    """What the meters saw leaving, but not coming."""


class Sink(IntEnum):
    """Where energy went: the columns of an allocation."""

    HOME = 0
    CHARGE = 1
    EXPORT = 2
    UNMETERED = 3
    """What the meters saw coming, but not leaving; nothing unless home has a meter of its own."""


class Allocation(StrEnum):
    """How sources are matched with sinks. Meters do not tell; it is agreed."""

    PROPORTIONAL = "proportional"
    """All that leaves the node carries the mix of all that came in, as in carbon emission flow."""

    SELF_CONSUMPTION_FIRST = "self_consumption_first"
    """Export is what the site's own sources leave, and no energy from the grid as long as they
    suffice. Of what they keep at the site, solar serves home first, then charging, and the
    battery what is left of home, then charging. The grid serves the rest, home first."""


@dataclass(frozen=True, kw_only=True)
class NodeEnergy:
    """What the meters at one node counted, in Wh: numbers, or arrays of intervals.

    Import and export may both be there in one interval, as may charge and discharge: they
    took turns. `home` is None where no meter counts it; it is then what is left. `home` must
    be None in all intervals or in none.
    """

    grid_import: Amount = 0.0
    grid_export: Amount = 0.0
    solar: Amount = 0.0
    charge: Amount = 0.0
    discharge: Amount = 0.0
    home: Amount | None = None


def allocate(energy: NodeEnergy, how: Allocation) -> FloatArray:
    """Return the Wh that each source gave to each sink: [..., Source, Sink].

    Rows add up to what came in, columns to what went out. The two differ where meters disagree:
    the difference is in the row or the column UNMETERED, never spread over the others.

    Raises ImpossibleAmountError for energies that are negative or not finite.
    """
    incoming = [
        amounts("grid_import", energy.grid_import),
        amounts("solar", energy.solar),
        amounts("discharge", energy.discharge),
    ]
    leaving = [amounts("charge", energy.charge), amounts("grid_export", energy.grid_export)]
    metered = None if energy.home is None else amounts("home", energy.home)
    try:
        arrays = np.broadcast_arrays(*incoming, *leaving, *([] if metered is None else [metered]))
    except ValueError as err:
        raise ImpossibleAmountError("home", f"the intervals do not fit: {err}") from err
    grid, solar, battery, charge, export = arrays[:5]
    left = grid + solar + battery - charge - export
    home = np.maximum(left, 0.0) if metered is None else arrays[5]
    difference = left - home
    # What rounding leaves of a difference is no energy that came from nowhere.
    rounding = 1e-12 * (grid + solar + battery + charge + export + home)
    difference = np.where(np.abs(difference) <= rounding, 0.0, difference)
    sources = np.stack([grid, solar, battery, np.maximum(-difference, 0.0)], axis=-1)
    sinks = np.stack([home, charge, export, np.maximum(difference, 0.0)], axis=-1)
    if how is Allocation.PROPORTIONAL:
        return _share(sources, sinks)
    return _own_first(sources, sinks)


def _share(sources: FloatArray, sinks: FloatArray) -> FloatArray:
    """Give each sink the same mix of all sources."""
    total = sources.sum(axis=-1)[..., np.newaxis]
    shares: FloatArray = np.divide(sources, total, out=np.zeros_like(sources), where=total > 0.0)
    shared: FloatArray = shares[..., :, np.newaxis] * sinks[..., np.newaxis, :]
    return shared


def _own_first(sources: FloatArray, sinks: FloatArray) -> FloatArray:
    """Serve the sinks in order, those at the site by the site's own sources first."""
    own = sources[..., [Source.SOLAR, Source.BATTERY]]
    kept = np.maximum(own.sum(axis=-1) - sinks[..., Sink.EXPORT], 0.0)
    at_site = sinks[..., [Sink.HOME, Sink.CHARGE, Sink.UNMETERED]]
    before = np.cumsum(at_site, axis=-1) - at_site
    served = np.clip(kept[..., np.newaxis] - before, 0.0, at_site)
    exported = np.maximum(own.sum(axis=-1) - served.sum(axis=-1), 0.0)
    first = np.concatenate([served, exported[..., np.newaxis]], axis=-1)
    order = [Sink.HOME, Sink.CHARGE, Sink.UNMETERED, Sink.EXPORT]
    rest = np.maximum(sinks[..., order] - first, 0.0)
    result = np.zeros((*sources.shape, len(Sink)))
    others = sources[..., [Source.GRID, Source.UNMETERED]]
    by_own, by_others = _in_order(own, first), _in_order(others, rest)
    for column, sink in enumerate(order):
        result[..., [Source.SOLAR, Source.BATTERY], sink] = by_own[..., column]
        result[..., [Source.GRID, Source.UNMETERED], sink] = by_others[..., column]
    return result


def _in_order(sources: FloatArray, sinks: FloatArray) -> FloatArray:
    """Let each source serve the sinks where the one before it ended.

    Laid end to end, sources and sinks are two divisions of one line; each pair gets what
    their pieces have in common.
    """
    given, taken = np.cumsum(sources, axis=-1), np.cumsum(sinks, axis=-1)
    end = np.minimum(given[..., :, np.newaxis], taken[..., np.newaxis, :])
    start = np.maximum((given - sources)[..., :, np.newaxis], (taken - sinks)[..., np.newaxis, :])
    common: FloatArray = np.maximum(end - start, 0.0)
    return common
