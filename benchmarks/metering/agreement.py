"""Whether two readers of a meter show the same: otherwise they cannot be compared."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final

_STEP: Final = 0.01
"""The peer rounds to two decimals."""


class DisagreementError(RuntimeError):
    """A quantity is missing, or shown differently."""


def check_agreement(
    quantities: Iterable[str], ours: Mapping[str, str], peer: Mapping[str, str]
) -> None:
    """Make sure that both show every quantity, and the same value but for rounding.

    Raises DisagreementError naming the quantity.
    """
    for quantity in quantities:
        mine, theirs = _number(ours.get(quantity)), _number(peer.get(quantity))
        if mine is None or theirs is None or abs(mine - theirs) > _STEP:
            raise DisagreementError(
                f"{quantity}: ours shows {ours.get(quantity)}, the peer {peer.get(quantity)}"
            )


def _number(state: str | None) -> float | None:
    """Return a state as a number, None where it is none."""
    try:
        number = float(state or "")
    except ValueError:
        return None
    return number if isfinite(number) else None
