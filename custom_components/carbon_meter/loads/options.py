"""What a site's options say about planning."""

from collections.abc import Mapping
from dataclasses import dataclass
import math
from typing import Any, Final, Self

from ..const import LOGGER
from ..planning.objective import Goal, Objective
from ..planning.plan import Margin
from .keys import (
    CONF_BASE_LOAD,
    CONF_CAUTION,
    CONF_FUSE,
    CONF_GOAL,
    CONF_LEAST_SAVING,
    CONF_LEAST_SHARE,
    CONF_PRICE,
    CONF_PRICE_ENTITY,
    CONF_PRICE_PER_KG,
)

LEAST_SAVING: Final = 20.0
"""g that a change of plan has to gain."""

LEAST_SHARE: Final = 2.0
"""Per cent of what is compared, likewise."""

CAUTION: Final = 0.2
"""How far the upper end of the forecast's band counts, 0 to 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanningOptions:
    """The options, each as told or as where nothing is told."""

    objective: Objective
    margin: Margin
    price_entity: str | None
    price: float | None
    """Currency per kWh."""

    fuse: float | None
    base_load: float | None
    """W."""

    @classmethod
    def of(cls, options: Any) -> Self:
        """Return the options of a site; what cannot be counts as not told, and is logged."""
        told: Mapping[str, Any] = options if isinstance(options, Mapping) else {}
        goal = _goal(told.get(CONF_GOAL))
        price_per_kg = _number(told, CONF_PRICE_PER_KG) or 0.0
        objective = Objective(
            goal=goal,
            price_per_kg=price_per_kg,
            caution=_or(_number(told, CONF_CAUTION), CAUTION),
        )
        saving = _or(_number(told, CONF_LEAST_SAVING), LEAST_SAVING)
        share = _or(_number(told, CONF_LEAST_SHARE), LEAST_SHARE)
        entity = told.get(CONF_PRICE_ENTITY)
        return cls(
            objective=objective,
            margin=Margin(absolute=_in_goal(saving, objective), relative=share / 100.0),
            price_entity=entity if isinstance(entity, str) and entity else None,
            price=_number(told, CONF_PRICE, signed=True),
            fuse=_number(told, CONF_FUSE) or None,
            base_load=_number(told, CONF_BASE_LOAD),
        )


def _in_goal(grams: float, objective: Objective) -> float:
    """Return what grams count as in the unit of a goal; nothing where only cost counts."""
    match objective.goal:
        case Goal.CARBON | Goal.CARBON_THEN_COST:
            return grams
        case Goal.WEIGHTED:
            return grams / 1000.0 * objective.price_per_kg
        case Goal.COST | Goal.COST_THEN_CARBON:
            return 0.0


def _goal(told: Any) -> Goal:
    """Return the goal; carbon, then cost, where none is told."""
    try:
        return Goal.CARBON_THEN_COST if told is None else Goal(told)
    except ValueError:
        LOGGER.warning("There is no goal of planning %r", told)
        return Goal.CARBON_THEN_COST


def _number(told: Mapping[str, Any], key: str, *, signed: bool = False) -> float | None:
    """Return a number of the options, None where there is none that can be."""
    value = told.get(key)
    if value is None:
        return None
    try:
        found = float(value)
    except TypeError, ValueError:
        found = math.nan
    if not math.isfinite(found) or (found < 0.0 and not signed):
        LOGGER.warning("%r cannot be the %s of planning", value, key)
        return None
    return found


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
