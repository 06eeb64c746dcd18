"""What an amount of gas, oil, wood, heat or water emits."""

from dataclasses import dataclass
from datetime import date

from .amounts import Amount, HeatingValue, Measure, to_amount
from .factor import Carrier, EmissionFactor, Stage
from .library import FactorLibrary, Resolved
from .reader import BURNT
from .selection import Query, Selection
from .zones import zone_and_around


class CannotConvertError(ValueError):
    """A factor and an amount are per different things, and nothing leads from one to the other."""


@dataclass(frozen=True, kw_only=True)
class FuelProperties:
    """What is known of the fuel itself, from the supplier's bill or from the factor's table."""

    calorific_value: float | None = None
    """In kWh per `per`."""

    per: Measure = Measure.VOLUME
    heating_value: HeatingValue | None = None
    """Whether the calorific value is gross or net."""

    density: float | None = None
    """In kg/m³."""

    net_per_gross: float | None = None


@dataclass(frozen=True, kw_only=True)
class Counting:
    """How a meter counts: its unit, and what its owner knows of the fuel."""

    unit: str
    heating_value: HeatingValue | None = None
    """Whether energy is counted gross or net; a fuel in kWh has no factor without it."""

    fuel: FuelProperties | None = None
    """From the supplier's bill; None takes what the factor's own table says."""


def main_stage(carrier: Carrier) -> Stage:
    """Return where a carrier emits: at the consumer if it is burnt, else where it is made."""
    return Stage.USE if carrier in BURNT else Stage.GENERATION


def properties(factor: EmissionFactor) -> FuelProperties:
    """Return what a factor's table says of its fuel."""
    return FuelProperties(
        calorific_value=factor.calorific_value,
        per=factor.calorific_per or Measure.VOLUME,
        heating_value=factor.source.heating_value,
        density=factor.density,
        net_per_gross=factor.net_per_gross,
    )


def fuel_query(
    carrier: Carrier,
    zone: str | None,
    stage: Stage | None = None,
    as_of: date | None = None,
) -> Query:
    """Return the question for a carrier's factor; its `main_stage` unless told otherwise."""
    wanted = Selection(carrier=carrier, stage=stage or main_stage(carrier))
    return Query(zone=zone, sources=wanted, as_of=as_of)


def find_fuel(
    library: FactorLibrary, query: Query, counting: Counting, when: date | None = None
) -> Resolved | None:
    """Return the factor to use for what a meter counts, or None.

    The nearest zone with a factor that the meter's unit can be converted to wins;
    in it the best table; in the table the row that is per the unit itself.

    Raises UnknownUnitError.
    """
    amount = to_amount(1, counting.unit)
    passed: list[str] = []
    for candidate in zone_and_around(query.zone):
        fitting = [
            factor
            for factor in library.candidates(candidate, when, query.sources, as_of=query.as_of)
            if _converts(amount, factor, counting)
        ]
        if fitting:
            rivals = [factor for factor in fitting if _alike(factor, fitting[0])]
            factor = min(rivals, key=lambda rival: _distance(amount, rival, counting))
            return Resolved(factor=factor, passed=tuple(passed))
        passed.append(candidate)
    return None


def emissions(factor: EmissionFactor, value: float, counting: Counting) -> float:
    """Return the grams of CO2eq of an amount that a meter has counted.

    Raises UnknownUnitError for its unit, CannotConvertError where the amount
    cannot be brought to what the factor is per, ValueError for an amount that is
    not finite.
    """
    return factor.value * _convert(to_amount(value, counting.unit), factor, counting)


def _alike(one: EmissionFactor, other: EmissionFactor) -> bool:
    """Return whether two rows tell the same of different measures: one table, one time."""
    return (one.source.id, one.scope, one.year, one.valid_from) == (
        other.source.id,
        other.scope,
        other.year,
        other.valid_from,
    )


def _converts(amount: Amount, factor: EmissionFactor, counting: Counting) -> bool:
    """Return whether what is known of the fuel leads from the amount to the factor."""
    try:
        _convert(amount, factor, counting)
    except CannotConvertError:
        return False
    return True


def _distance(amount: Amount, factor: EmissionFactor, counting: Counting) -> tuple[bool, bool]:
    """Return how much has to be converted: the measure, then gross and net."""
    stated = counting.heating_value
    return (
        amount.measure is not factor.measure,
        stated is not None and factor.source.heating_value is not stated,
    )


def _convert(amount: Amount, factor: EmissionFactor, counting: Counting) -> float:
    """Return the amount in what the factor is per: kWh as the factor counts them, m³ or kg."""
    fuel = counting.fuel or properties(factor)
    own, stated = factor.source.heating_value, counting.heating_value
    source, target = amount.measure, factor.measure
    if source is Measure.ENERGY and target is Measure.ENERGY:
        return amount.value if own is None else _energy(amount.value, stated, own, fuel)
    if source is Measure.ENERGY:
        contained = _energy(amount.value, stated, fuel.heating_value, fuel)
        return _bulk(contained / _calorific(fuel), fuel.per, target, fuel)
    if target is Measure.ENERGY:
        contained = _bulk(amount.value, source, fuel.per, fuel) * _calorific(fuel)
        return _energy(contained, fuel.heating_value, own, fuel)
    return _bulk(amount.value, source, target, fuel)


def _energy(
    value: float,
    source: HeatingValue | None,
    target: HeatingValue | None,
    fuel: FuelProperties,
) -> float:
    """Return energy counted gross as energy counted net, or the other way round."""
    if source is None or target is None:
        raise CannotConvertError("is the energy of the fuel meant gross or net?")
    if source is target:
        return value
    if fuel.net_per_gross is None:
        raise CannotConvertError(f"how much {target} energy is in {source} energy is not known")
    return value * fuel.net_per_gross if target is HeatingValue.NET else value / fuel.net_per_gross


def _calorific(fuel: FuelProperties) -> float:
    """Return the calorific value, in kWh per `per`."""
    if fuel.calorific_value is None:
        raise CannotConvertError("the calorific value is not known")
    return fuel.calorific_value


def _bulk(value: float, source: Measure, target: Measure, fuel: FuelProperties) -> float:
    """Return a volume as a mass, or the other way round."""
    if source is target:
        return value
    if fuel.density is None:
        raise CannotConvertError(f"the density is not known, to go from {source} to {target}")
    return value * fuel.density if target is Measure.MASS else value / fuel.density
