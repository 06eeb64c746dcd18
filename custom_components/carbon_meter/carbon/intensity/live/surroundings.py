"""What all sources are handed: one for a whole Home Assistant."""

from collections.abc import Callable
from dataclasses import dataclass, field
import time
from typing import Final

import aiohttp

from ...factors.mix import GenerationFactors
from .pace import Paces

PATIENCE: Final = 25.0
"""Seconds for a whole answer, once it is its turn."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The session, the clocks, the paces that sites share, and what a mix is weighed with."""

    session: aiohttp.ClientSession
    clock: Callable[[], float]
    """Seconds since 1970 UTC."""

    factors: GenerationFactors
    paces: Paces = field(default_factory=Paces)
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that never go back."""

    patience: float = PATIENCE
