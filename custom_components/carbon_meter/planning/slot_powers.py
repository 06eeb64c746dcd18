"""Plans of one power a slot."""

from ..carbon.flow.amounts import FloatArray
from .plan import Piece, joined
from .slots import Slots


def pieces_of(slots: Slots, powers: FloatArray) -> tuple[Piece, ...]:
    """Return the pieces of a power in W for each slot."""
    rows = zip(slots.starts.tolist(), slots.ends.tolist(), powers.tolist(), strict=True)
    return joined(Piece(start, end, power) for start, end, power in rows)
