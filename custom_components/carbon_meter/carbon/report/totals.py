"""Totals by account and way of reckoning, and the same per square metre, person and product.

A total adds stages and carriers of one account. What is hourly and annual, location-based and
market-based, average and marginal, inventory and beside it each keeps its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from ..accounting.figures import Account, Figure, total
from ..accounting.normalised import Denominator, Reference, per
from .periods import Bounds, Period, bounds, split

_ACCOUNTS: Final = (Account.DIRECT, Account.VALUE_CHAIN, Account.BIOGENIC)
"""Accounts in which nothing is matched over time."""


def account_totals(scope2: Sequence[Figure], others: Sequence[Figure]) -> tuple[Figure, ...]:
    """Return the totals of each account: scope 2 in every way given, then the other accounts.

    `others` are stages and carriers. Heat and cooling that are bought belong to every total of
    scope 2: there is one factor for them, whichever way electricity is reckoned.
    """
    bought = [figure for figure in others if figure.label.account is Account.LOCATION_BASED]
    totals = [
        total([electricity, *(_like(figure, electricity) for figure in bought)])
        for electricity in scope2
    ]
    for account in _ACCOUNTS:
        parts = [
            replace(figure, label=replace(figure.label, stage=None, matching=None))
            for figure in others
            if figure.label.account is account
        ]
        if parts:
            totals.append(total(parts))
    return tuple(totals)


def normalised(
    figures: Sequence[Figure], references: Sequence[Reference], period: Bounds, zone: tzinfo
) -> tuple[Figure, ...]:
    """Return figures of a period per reference; of a product as much as the period's share makes.

    The share is that of the period in its calendar year, in each year that it touches.
    """
    if period.end <= period.start:
        return ()
    years = _years(period, zone)
    scaled = [
        replace(reference, quantity=reference.quantity * years)
        if reference.denominator is Denominator.PRODUCT
        else reference
        for reference in references
    ]
    return tuple(per(figure, reference) for reference in scaled for figure in figures)


def _years(period: Bounds, zone: tzinfo) -> float:
    """Return how many calendar years long a period is."""
    years = 0.0
    for part in split(period.start, period.end, Period.YEAR, zone):
        year = bounds(Period.YEAR, part.start, zone)
        years += (part.end - part.start) / (year.end - year.start)
    return years


def _like(figure: Figure, electricity: Figure) -> Figure:
    """Return bought heat as a part of the same total as electricity."""
    label = replace(
        figure.label,
        account=electricity.label.account,
        matching=electricity.label.matching,
        stage=electricity.label.stage,
    )
    return replace(figure, label=label)
