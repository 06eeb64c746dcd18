"""What the options of a hub say: the rules of publishing, and what homes are asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..community.contract.message import Flow, Level
from ..community.ledger.calendar import Grain
from ..community.privacy.rules import PRESETS, STANDARD, STRICT_DOMINANCE, STRICT_K, Rules
from .keys import (
    CONF_DOMINANCE,
    CONF_DURATION,
    CONF_FINEST,
    CONF_FLOWS,
    CONF_K,
    CONF_LEVEL,
    CONF_RULES,
    OWN_RULES,
)

USUAL_FLOWS: Final = (
    Flow.GRID_IMPORT,
    Flow.GRID_EXPORT,
    Flow.PV,
    Flow.BATTERY_IN,
    Flow.BATTERY_OUT,
)
"""What a community asks for where the operator has chosen nothing: electricity."""

ASKED_DURATIONS: Final = (3600, 86400)
"""Seconds; a community asks for hours or for days, nothing finer."""

_PERCENT: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Asks:
    """What an invitation asks a home for; the home decides."""

    level: Level = Level.PSEUDONYM
    duration: int = 3600
    flows: tuple[Flow, ...] = USUAL_FLOWS


def rules_of(options: Mapping[str, Any]) -> Rules:
    """Return the rules of publishing; raises ValueError for own ones that protect too little."""
    chosen = options.get(CONF_RULES)
    if chosen == OWN_RULES:
        return Rules(
            k=int(options.get(CONF_K, STRICT_K)),
            dominance=float(options.get(CONF_DOMINANCE, STRICT_DOMINANCE * _PERCENT)) / _PERCENT,
        )
    return PRESETS.get(str(chosen), STANDARD)


def finest_of(options: Mapping[str, Any]) -> Grain:
    """Return the shortest time of which anything is published."""
    return Grain(options.get(CONF_FINEST, Grain.HOUR))


def asks_of(options: Mapping[str, Any]) -> Asks:
    """Return what homes are asked for."""
    usual = Asks()
    flows = tuple(Flow(flow) for flow in options.get(CONF_FLOWS, ()))
    return Asks(
        level=Level(options.get(CONF_LEVEL, usual.level)),
        duration=int(options.get(CONF_DURATION, usual.duration)),
        flows=flows or usual.flows,
    )
