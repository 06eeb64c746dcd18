"""Amounts that can be true: finite numbers, and not below zero where nothing can be."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

type FloatArray = NDArray[np.float64]

type Amount = float | FloatArray
"""One number, or one for each interval (and phase): the formulas take both."""


class ImpossibleAmountError(ValueError):
    """A number that no meter, factor or contract can truly have; `name` says which."""

    def __init__(self, name: str, problem: str) -> None:
        """Name the amount and what is wrong with it."""
        self.name = name
        super().__init__(f"{name}: {problem}")


def amount(name: str, value: Any, *, signed: bool = False) -> float:
    """Return one number as a float.

    Raises ImpossibleAmountError for what is no finite number, and for one below zero
    unless it is `signed`.
    """
    if type(value) is float and 0.0 <= value < math.inf:
        return value
    if isinstance(value, bool):
        raise ImpossibleAmountError(name, f"{value!r} is not a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as err:
        raise ImpossibleAmountError(name, f"{value!r} is not a number") from err
    if not math.isfinite(number):
        raise ImpossibleAmountError(name, f"{number} is not finite")
    if number < 0 and not signed:
        raise ImpossibleAmountError(name, f"{number} is negative")
    return number


def amounts(name: str, values: Any, *, signed: bool = False) -> FloatArray:
    """Return numbers as an array of floats; see `amount` for what is refused."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as err:
        raise ImpossibleAmountError(name, f"not an array of numbers ({err})") from err
    if array.size and array.min() >= 0.0 and array.max() < np.inf:
        return array
    bad = ~np.isfinite(array)
    if not signed:
        bad |= array < 0
    if bad.any():
        place = tuple(int(index) for index in np.argwhere(bad)[0])
        where = f" at {place[0] if len(place) == 1 else place}" if place else ""
        raise ImpossibleAmountError(name, f"{array[place]}{where} is not a possible amount")
    return array


def per_interval(name: str, values: Any, length: int, *, signed: bool = False) -> FloatArray:
    """Return one number for each interval, from as many or from one that holds for all.

    See `amount` for what is refused; so is any other count.
    """
    array = amounts(name, values, signed=signed)
    if array.shape not in {(), (1,), (length,)}:
        raise ImpossibleAmountError(name, f"expected {length} numbers, not {array.shape}")
    return np.broadcast_to(array, (length,))


def grams(energy: Amount, intensity: Amount) -> FloatArray:
    """Return the carbon in g of an energy in Wh with an intensity in gCO2eq/kWh.

    Nothing carries nothing, whatever its intensity; an energy whose intensity is not known
    (NaN) has NaN.
    """
    with np.errstate(invalid="ignore"):
        return np.where(np.equal(energy, 0.0), 0.0, np.multiply(energy, intensity) / 1000.0)


def intensity_of(carbon: Amount, energy: Amount) -> FloatArray:
    """Return the intensity in gCO2eq/kWh of carbon in g over energy in Wh, NaN without energy."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.greater(energy, 0.0), np.multiply(carbon, 1000.0) / energy, np.nan)
