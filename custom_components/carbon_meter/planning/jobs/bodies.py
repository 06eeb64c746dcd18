"""Bodies of heat from what people know of them: litres of a tank, square metres of a room.

What is known better is better: all of these are told as defaults that can be replaced.
"""

from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final

import numpy as np

from ...carbon.flow.amounts import FloatArray, ImpossibleAmountError, amount
from ..slots import Slots
from ..thermal import Body

WATER: Final = 1.163
"""Wh/(l K): 4.1868 kJ/(kg K), the International Table calorie, and 1 kg in a litre."""

_TEST_LIFT: Final = 45.0
"""K between the water of a tank and the room in a test of its loss: 65 and 20 degrees.

EN 12897 and EN 60379; Commission Regulation (EU) 812/2013, annex VII."""

_LOSS_FIRST: Final = 16.66
_LOSS_MORE: Final = 8.33
_LOSS_POWER: Final = 0.4
"""The most that a tank of V litres may lose in that test, 16.66 + 8.33 V^0.4 in W.

Commission Regulation (EU) 814/2013, annex II."""


class Mass(StrEnum):
    """How heavily a room is built."""

    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"


HEAT_CAPACITIES: Final = {
    Mass.LIGHT: 110_000.0 / 3600.0,
    Mass.MEDIUM: 165_000.0 / 3600.0,
    Mass.HEAVY: 260_000.0 / 3600.0,
}
"""Wh/(m2 K) of floor: EN ISO 13790:2008, table 12, which gives J/(m2 K)."""

ROOM_LOSS: Final = 1.5
"""W/(m2 K) of floor, where nobody knows: 110 kWh/m2 of heat in a year of 3000 kelvin days.

    loss = heat of a year / (24 h * kelvin days)        (EN ISO 15927-6 for the days)

An old house without insulation has twice as much, a passive house a fifth."""

_DRAWN: Final = {
    7: 1.610,
    8: 0.420,
    9: 0.210,
    10: 0.105,
    11: 0.210,
    12: 0.315,
    14: 0.105,
    15: 0.105,
    16: 0.105,
    18: 0.315,
    19: 0.105,
    20: 0.735,
    21: 1.505,
}
"""kWh of hot water in each hour of the day, 5.845 in all: load profile M of Commission Regulation
(EU) 812/2013, annex VII, table 3, the draw-offs of each hour put together."""

_CELL: Final = 900.0
"""s. Local clocks differ from UTC by whole quarters of an hour."""


def tank(volume: float, *, loss: float | None = None) -> Body:
    """Return a tank of so many litres of water; `loss` in W/K.

    Without a loss it is the most that the Union allows to be sold. Raises ImpossibleAmountError
    for numbers that no tank has.
    """
    litres = amount("volume", volume)
    if litres == 0.0:
        raise ImpossibleAmountError("volume", "a tank holds something")
    if loss is None:
        loss = (_LOSS_FIRST + _LOSS_MORE * litres**_LOSS_POWER) / _TEST_LIFT
    return Body(capacity=WATER * litres, loss=amount("loss", loss))


def standing_loss(daily: float) -> float:
    """Return the loss in W/K of a tank that loses so many kWh in 24 hours when it is tested.

    The figure stands on data sheets and type plates, for 45 K between water and room. Raises
    ImpossibleAmountError for a number that cannot be.
    """
    return amount("daily", daily) * 1000.0 / 24.0 / _TEST_LIFT


def room(
    area: float,
    *,
    mass: Mass = Mass.MEDIUM,
    heat_capacity: float | None = None,
    loss: float | None = None,
) -> Body:
    """Return a room of so many m2 of floor; `heat_capacity` in Wh/K, `loss` in W/K.

    Raises ImpossibleAmountError for numbers that no room has.
    """
    floor = amount("area", area)
    if floor == 0.0 and (heat_capacity is None or loss is None):
        raise ImpossibleAmountError("area", "a room has a floor")
    return Body(
        capacity=HEAT_CAPACITIES[mass] * floor if heat_capacity is None else heat_capacity,
        loss=ROOM_LOSS * floor if loss is None else loss,
    )


def drawn(slots: Slots, energy: float, zone: tzinfo) -> FloatArray:
    """Return the heat in W that hot water takes in each slot, for so many Wh in a day.

    The day has the shape of load profile M, by the local clock. Raises ImpossibleAmountError for
    an energy that cannot be.
    """
    daily = amount("energy", energy)
    if len(slots) == 0 or daily == 0.0:
        return np.zeros(len(slots))
    first, last = np.floor(slots.start / _CELL), np.ceil(slots.end / _CELL)
    edges = np.arange(first, last + 1.0) * _CELL
    shares = np.zeros(24)
    for hour, part in _DRAWN.items():
        shares[hour] = part
    shares /= shares.sum()
    hours = [datetime.fromtimestamp(cell, zone).hour for cell in edges[:-1].tolist()]
    taken = np.concatenate([[0.0], np.cumsum(shares[hours] * (daily * _CELL / 3600.0))])
    until = np.interp(slots.edges, edges, taken)
    found: FloatArray = np.diff(until) / slots.hours
    return found
