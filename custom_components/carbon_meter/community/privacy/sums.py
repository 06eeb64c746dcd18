"""The sums of a class of parts: what publishing it tells, and all that is kept of it."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassSums:
    """One class, in the units of the ledger."""

    homes: int
    parts: int
    periods: int
    seconds: int
    covered: int
    wh: int
    highest: int
    """Wh of the home with the most; never published, it bounds what a part of the class has."""

    mg: int | None
    """None where nothing may be said."""

    carbon_free: int | None
    """Wh; None where it is not known of all parts, or nothing may be said."""

    estimated: int | None
    """Wh; None where that would tell few homes apart."""

    is_exact: bool = True
    """Whether `mg` and `carbon_free` are sums; otherwise they follow from what others have."""

    is_clear: bool = False
    """Whether it is of homes alone that have consented to be shown one by one."""

    def row(self) -> list[Any]:
        """Return it as a list for keeping."""
        return list(astuple(self))

    @classmethod
    def of_row(cls, row: list[Any]) -> Self:
        """Return what `row` gave; one of before there was consent to look at has none."""
        return cls(**dict(zip(cls.__slots__, row, strict=False)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What the classes of a cell come to."""

    periods: int = 0
    seconds: int = 0
    covered: int = 0
    wh: int = 0
    mg: int | None = 0
    carbon_free: int | None = 0
    estimated: int | None = 0
    is_exact: bool = True

    def __add__(self, other: Self | ClassSums) -> Self:
        """Return both together; what is unknown of one is unknown of the sum."""
        return type(self)(
            periods=self.periods + other.periods,
            seconds=self.seconds + other.seconds,
            covered=self.covered + other.covered,
            wh=self.wh + other.wh,
            mg=_plus(self.mg, other.mg),
            carbon_free=_plus(self.carbon_free, other.carbon_free),
            estimated=_plus(self.estimated, other.estimated),
            is_exact=self.is_exact and other.is_exact,
        )


def content_of(classes: Iterable[ClassSums]) -> Content:
    """Return what classes come to."""
    result = Content()
    for each in classes:
        result += each
    return result


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
