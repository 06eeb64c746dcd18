"""The yearly factor of the site's zone, from the factor library."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from ..factors.library import Caveat, FactorLibrary
from ..factors.selection import SourceFilter, is_grid_average
from ..grade import Grade
from .source import IntensityInterval, SourceInfo


class LibrarySource:
    """What the emission factor library says of a zone, day by day.

    It always has a figure as long as the library knows the world's average.

    Raises LookupError when the library has no figure that could stand for the zone.
    """

    refresh_after: float | None = None

    def __init__(
        self,
        library: FactorLibrary,
        zone: str | None,
        time_zone: tzinfo = UTC,
        *,
        sources: SourceFilter = is_grid_average,
        as_of: date | None = None,
    ) -> None:
        """Take the library and the zone; `time_zone` decides when a factor's days begin.

        `sources` tells which tables qualify, `as_of` leaves out later editions.
        """
        self._library = library
        self._zone = zone
        self._time_zone = time_zone
        self._sources = sources
        self._as_of = as_of
        resolved = library.resolve(zone, None, sources, as_of=as_of)
        if resolved is None:
            raise LookupError(f"the factor library has no figure for {zone} nor for the world")
        self.factor = resolved.factor
        """The newest factor of the zone."""

        self.caveats = resolved.caveats
        """What a user has to be told of it."""

        source = resolved.factor.source
        doubt = " (not verified)" if Caveat.NOT_VERIFIED in resolved.caveats else ""
        self.info = SourceInfo(
            id=f"library:{source.id}",
            name=f"{source.publisher}, {source.edition}{doubt}",
            scope=source.scope,
            licence=source.licence or "",
            attribution=source.attribution or "",
        )

    async def refresh(self) -> None:
        """There is nothing to fetch."""

    def intervals(self, start: float, end: float) -> Sequence[IntensityInterval]:
        """Return the factors that hold, one interval for each run of days with the same."""
        found: list[IntensityInterval] = []
        position = start
        while position < end:
            local = datetime.fromtimestamp(position, self._time_zone)
            midnight = (local + timedelta(days=1)).replace(
                hour=0, minute=0, second=0, microsecond=0
            )
            stop = min(end, max(midnight.timestamp(), position + 1))
            factor = (
                self._library.best(self._zone, local, self._sources, as_of=self._as_of)
                or self.factor
            )
            previous = found[-1] if found else None
            source = f"library:{factor.source.id}:{factor.zone}:{factor.year or factor.valid_from}"
            begin = position
            if previous and previous.value == factor.value and previous.source == source:
                begin = found.pop().start
            found.append(
                IntensityInterval(
                    start=begin, end=stop, value=factor.value, grade=Grade.YEARLY, source=source
                )
            )
            position = stop
        return found
