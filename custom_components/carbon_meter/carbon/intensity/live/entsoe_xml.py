"""Documents of the ENTSO-E transparency platform: generation by type, and why there is none.

IEC 62325-451-6, GL_MarketDocument: a `TimeSeries` for each type of generation and each stretch,
with `Period`s of a resolution and numbered points. Where the curve type is A03 a point holds until
the next one; else a number that is missing is a hole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final
from xml.etree import ElementTree as ET

from .answers import number
from .mixes import Generation
from .times import instant

_RESOLUTIONS: Final = {"PT15M": 900.0, "PT30M": 1800.0, "PT60M": 3600.0, "PT1H": 3600.0}
_NO_DATA: Final = "999"
_MOST: Final = 100_000
"""Intervals in one document; a month of twenty types in quarters of an hour has half of it."""


class NotMarketDocumentError(ValueError):
    """A text is not a document of the platform."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledgement:
    """What the platform says instead of an answer."""

    code: str
    text: str

    @property
    def means_nothing_there(self) -> bool:
        """Return whether there is just no data for what was asked."""
        return self.code == _NO_DATA


def parse(text: str) -> list[Generation] | Acknowledgement:
    """Return the generation in a document, in MW, on its finest grid; or the reason for none.

    Raises NotMarketDocumentError for another document, SyntaxError for what is no XML.
    """
    if "<!DOCTYPE" in text:
        # Without one there are no entities, and so nothing that grows or reads files.
        raise NotMarketDocumentError("a document type is declared")
    root = ET.fromstring(text)  # noqa: S314  # no document type, bounded in length
    kind = _name(root)
    if kind == "Acknowledgement_MarketDocument":
        reason = _child(root, "Reason")
        return Acknowledgement(code=_text(reason, "code"), text=_text(reason, "text"))
    if kind != "GL_MarketDocument":
        raise NotMarketDocumentError(f"{kind} instead of GL_MarketDocument")
    series = (each for each in root if _name(each) == "TimeSeries")
    return _on_finest_grid(_bounded(chain.from_iterable(map(_of, series))))


def _of(series: ET.Element) -> Iterator[Generation]:
    """Yield what a series says of generation; what plants consume has another domain."""
    if _child(series, "inBiddingZone_Domain.mRID") is None:
        return
    fuel = _text(_child(series, "MktPSRType"), "psrType")
    holds = _text(series, "curveType") == "A03"
    for period in series:
        if _name(period) == "Period":
            yield from _points(period, fuel, holds=holds)


def _points(period: ET.Element, fuel: str, *, holds: bool) -> Iterator[Generation]:
    """Yield the intervals of a period that have a quantity."""
    interval = _child(period, "timeInterval")
    start, end = instant(_text(interval, "start")), instant(_text(interval, "end"))
    step = _RESOLUTIONS.get(_text(period, "resolution"))
    if start is None or end is None or step is None:
        return
    quantities = {
        _text(point, "position"): number(_text(point, "quantity"))
        for point in period
        if _name(point) == "Point"
    }
    amount: float | None = None
    for position in range(round((end - start) / step)):
        amount = quantities.get(str(position + 1), amount if holds else None)
        if amount is not None:
            begin = start + position * step
            yield Generation(start=begin, end=begin + step, fuel=fuel, amount=amount)


def _bounded(generation: Iterable[Generation]) -> list[Generation]:
    """Return the intervals, of which there are not too many."""
    bounded = list(islice(generation, _MOST + 1))
    if len(bounded) > _MOST:
        raise NotMarketDocumentError(f"more than {_MOST} intervals")
    return bounded


def _on_finest_grid(generation: list[Generation]) -> list[Generation]:
    """Return the same with the coarser intervals cut: power is that of every part."""
    finest = min((each.end - each.start for each in generation), default=0.0)
    return _bounded(
        Generation(
            start=each.start + index * finest,
            end=each.start + (index + 1) * finest,
            fuel=each.fuel,
            amount=each.amount,
        )
        for each in generation
        for index in range(round((each.end - each.start) / finest))
    )


def _name(element: ET.Element) -> str:
    """Return a tag without its namespace, which changes with the edition of the schema."""
    return element.tag.rpartition("}")[2]


def _child(element: ET.Element | None, name: str) -> ET.Element | None:
    if element is None:
        return None
    return next((child for child in element if _name(child) == name), None)


def _text(element: ET.Element | None, name: str) -> str:
    child = _child(element, name)
    return (child.text or "").strip() if child is not None else ""
