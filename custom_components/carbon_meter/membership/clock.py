"""Whether the clock of this computer follows a time server, as its kernel says."""

import ctypes
import sys
from typing import Final

_LARGER_THAN_TIMEX: Final = 512
"""Bytes; the structure has 208 on 64-bit systems."""

_UNSYNCHRONISED: Final = 5
"""TIME_ERROR of adjtimex(2); what is below is a clock that is kept."""


def is_synced() -> bool | None:
    """Return whether a time server keeps the clock right, None where nobody can tell.

    adjtimex(2) with nothing to change is a question that every process may ask.
    """
    if not sys.platform.startswith("linux"):
        return None
    question = ctypes.create_string_buffer(_LARGER_THAN_TIMEX)
    try:
        state = int(ctypes.CDLL(None).adjtimex(question))
    except OSError, AttributeError:
        return None
    return state < _UNSYNCHRONISED if state >= 0 else None
