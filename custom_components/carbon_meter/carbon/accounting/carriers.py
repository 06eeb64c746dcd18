"""Gas, heat, water and fuels: activity times factor, as figures of the accounts they belong to."""

from collections.abc import Iterable
from typing import Final

from ..factors.factor import Carrier, EmissionFactor, Stage
from ..factors.fuel import Counting, emissions
from ..flow.amounts import amount
from .figures import Account, Figure, Label

_PURCHASED: Final = frozenset(
    {Carrier.ELECTRICITY, Carrier.DISTRICT_HEAT, Carrier.DISTRICT_COOLING}
)
"""What others make and deliver as energy: scope 2."""

_WATER: Final = frozenset({Carrier.WATER, Carrier.WASTEWATER})

_ON_THE_WAY: Final = frozenset(
    {Stage.TRANSMISSION_DISTRIBUTION, Stage.UPSTREAM, Stage.UPSTREAM_AND_LOSSES}
)


class CarrierMismatchError(ValueError):
    """Factors that do not belong to one carrier, or that weigh one stage twice."""


def weigh_carrier(
    quantity: float, counting: Counting, factors: Iterable[EmissionFactor]
) -> tuple[Figure, ...]:
    """Return the grams of what a meter counted, by each factor: use, upstream, biogenic.

    `counting` tells the meter's unit and what is known of the fuel, such as the calorific
    value on the bill. The figures stay apart, in the order of the factors.

    Raises CarrierMismatchError for factors that do not belong together, CannotConvertError
    where the unit leads to no factor, ImpossibleAmountError for a quantity that cannot be.
    """
    counted = amount("quantity", quantity)
    figures: dict[Label, Figure] = {}
    for factor in factors:
        label = Label(
            account=account_of(factor), stage=factor.source.stage, carrier=factor.source.carrier
        )
        if label in figures:
            raise CarrierMismatchError(f"two factors for {label}")
        if any(known.carrier != label.carrier for known in figures):
            raise CarrierMismatchError(f"{label.carrier} is another carrier")
        figures[label] = Figure(label=label, value=emissions(factor, counted, counting))
    return tuple(figures.values())


def account_of(factor: EmissionFactor) -> Account:
    """Return the account of a report to which what a factor weighs belongs."""
    source = factor.source
    if source.biogenic:
        return Account.BIOGENIC
    if source.stage in _ON_THE_WAY or source.carrier in _WATER:
        return Account.VALUE_CHAIN
    return Account.LOCATION_BASED if source.carrier in _PURCHASED else Account.DIRECT
