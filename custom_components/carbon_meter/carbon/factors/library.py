"""All factor files together: which figure holds for a zone at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
import unicodedata

from ...datafile import DataFileError, Problem
from .factor import Confidence, EmissionFactor, FactorSource, Scope
from .reader import FactorFile, read_factor_file
from .selection import SourceFilter, is_grid_average
from .zones import zone_and_around

PACKAGED_FACTORS: Final = Path(__file__).parent
"""The directory of the files that come with the integration."""


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone for which there is a figure, with its English name."""

    code: str
    name: str


class Caveat(StrEnum):
    """What a user has to be told of a factor."""

    ANOTHER_ZONE = "another_zone"
    """The zone has no figure of its own: this is that of what it is part of."""

    NOT_VERIFIED = "not_verified"
    """The figure was not read in the publisher's own table."""


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A factor, and how far the search for it had to go."""

    factor: EmissionFactor
    passed: tuple[str, ...] = ()
    """Zones that have no figure, from the one that was asked for outwards."""

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Return what a user has to be told."""
        found = []
        if self.passed:
            found.append(Caveat.ANOTHER_ZONE)
        if self.factor.source.confidence is not Confidence.VERIFIED:
            found.append(Caveat.NOT_VERIFIED)
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """A factor with its place in the order of directories and files."""

    directory: int
    position: int
    factor: EmissionFactor

    def preference(self, day: date | None) -> tuple[int, bool, bool, bool, int, int, int, int]:
        """Return what the best of several factors for a day has the highest of.

        First comes the directory, then the life cycle before the chimney alone,
        then days named in the file before a year that merely measured, then the
        newest figure that is not of the future, then the nearest one that is,
        then the newest edition, then the file whose name comes last.
        """
        factor = self.factor
        start = factor.valid_from or date(factor.year or date.min.year, 1, 1)
        begun = factor.is_dated or day is None or start.year <= day.year
        published = factor.source.published or date.min
        return (
            self.directory,
            factor.scope is Scope.LIFE_CYCLE,
            factor.is_dated and day is not None,
            begun,
            start.toordinal() if begun else -start.toordinal(),
            factor.year or 0,
            published.toordinal(),
            self.position,
        )


class FactorLibrary:
    """Emission factors by zone; `problems` lists what was left out, and why.

    A zone is an ISO 3166-1 alpha-2 country code ("DE"), a part of a country
    ("CN-BJ", "US-CAMX") or "001" for the world. Figures are in gCO2eq per kWh, m³ or kg.
    `when` is a day, or a moment in the site's own time, whose calendar day decides
    which figure applies; without it the newest figure is returned.
    """

    def __init__(
        self, directories: Iterable[Iterable[FactorFile]], problems: Iterable[Problem] = ()
    ) -> None:
        """Take the files of each directory, the directory that wins last."""
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.sources: dict[str, FactorSource] = {}
        self._by_zone: dict[str, list[_Ranked]] = {}
        for directory, files in enumerate(directories):
            for position, file in enumerate(files):
                self._add(directory, position, file)

    def _add(self, directory: int, position: int, file: FactorFile) -> None:
        """Take one file, unless its id is taken: an id must tell where a figure is from."""
        self.problems += file.problems
        if (other := self.sources.get(file.source.id)) is not None:
            text = f"id: {file.source.id!r} is the id of {other.file} too; this file is not used"
            self.problems += (Problem(file=file.source.file, line=file.line, message=text),)
            return
        self.sources[file.source.id] = file.source
        for factor in file.factors:
            ranked = _Ranked(directory=directory, position=position, factor=factor)
            self._by_zone.setdefault(factor.zone, []).append(ranked)

    def candidates(
        self,
        zone: str,
        when: date | None = None,
        sources: SourceFilter = is_grid_average,
        *,
        as_of: date | None = None,
    ) -> list[EmissionFactor]:
        """Return the factors of exactly this zone from the sources that qualify, the best first.

        A later directory wins over an earlier one. Within a directory the life
        cycle wins over the power station alone (ask for one scope where it
        matters), a factor that names its days wins on those days over a yearly
        one, the newest year that has begun wins over older ones, and of two
        editions with the same year the newest wins.

        `as_of` leaves out what was published after that day: the factor that was
        the best one then, to tell what a new edition has changed.
        """
        day = when.date() if isinstance(when, datetime) else when
        qualified = [
            ranked
            for ranked in self._by_zone.get(zone.upper(), ())
            if sources(ranked.factor.source)
            and (day is None or ranked.factor.applies_on(day))
            and _was_known(ranked.factor.source, as_of)
        ]
        qualified.sort(key=lambda ranked: ranked.preference(day), reverse=True)
        return [ranked.factor for ranked in qualified]

    def find(
        self,
        zone: str,
        when: date | None = None,
        sources: SourceFilter = is_grid_average,
        *,
        as_of: date | None = None,
    ) -> EmissionFactor | None:
        """Return the best factor of exactly this zone, or None (see `candidates`)."""
        return next(iter(self.candidates(zone, when, sources, as_of=as_of)), None)

    def country(self, alpha2: str, when: date | None = None) -> EmissionFactor | None:
        """Return the average of a country's grid, or None if no source has one."""
        return self.find(alpha2, when)

    def resolve(
        self,
        zone: str | None,
        when: date | None = None,
        sources: SourceFilter = is_grid_average,
        *,
        as_of: date | None = None,
    ) -> Resolved | None:
        """Return the factor of a zone, else of what it is part of, else of the world.

        The answer tells which zones had none. None means that not even the world
        has a figure.
        """
        passed: list[str] = []
        for candidate in zone_and_around(zone):
            factor = self.find(candidate, when, sources, as_of=as_of)
            if factor is not None:
                return Resolved(factor=factor, passed=tuple(passed))
            passed.append(candidate)
        return None

    def best(
        self,
        zone: str | None,
        when: date | None = None,
        sources: SourceFilter = is_grid_average,
        *,
        as_of: date | None = None,
    ) -> EmissionFactor | None:
        """Return the factor that `resolve` finds; its `zone` tells how far the search went."""
        found = self.resolve(zone, when, sources, as_of=as_of)
        return found.factor if found is not None else None

    def of_zones(
        self, zones: Iterable[str], sources: SourceFilter = is_grid_average
    ) -> Iterator[EmissionFactor]:
        """Yield every factor of some zones from the sources that qualify, in no order."""
        for zone in zones:
            for ranked in self._by_zone.get(zone, ()):
                if sources(ranked.factor.source):
                    yield ranked.factor

    def zones(self, sources: SourceFilter = is_grid_average) -> list[Zone]:
        """Return the zones that have a figure, for a selector, in the order of their names."""
        zones = []
        for code, ranked in self._by_zone.items():
            named = [item for item in ranked if sources(item.factor.source)]
            if named:
                best = max(named, key=lambda item: (item.factor.name is not None, item.directory))
                zones.append(Zone(code=code, name=best.factor.name or code))
        return sorted(zones, key=lambda zone: (_sort_key(zone.name), zone.code))


def load_library(directories: Iterable[Path] = (PACKAGED_FACTORS,)) -> FactorLibrary:
    """Read the factor files (`*.yaml`) of some directories; the later ones win.

    A directory that does not exist is one without files: users need not have
    their own. Never fails: what cannot be used is listed in the library's
    `problems`. Reads files, so call it in an executor.
    """
    problems: list[Problem] = []
    return FactorLibrary(
        [list(_read_directory(directory, problems)) for directory in directories], problems
    )


def _read_directory(directory: Path, problems: list[Problem]) -> Iterator[FactorFile]:
    """Yield the usable files of a directory in the order of their names."""
    try:
        paths = sorted(directory.iterdir())
    except FileNotFoundError:
        return
    except OSError as err:
        problems.append(Problem(file=str(directory), line=1, message=f"cannot be read: {err}"))
        return
    for path in paths:
        if path.suffix.lower() in {".yaml", ".yml"} and not path.name.startswith("."):
            try:
                yield read_factor_file(path)
            except DataFileError as err:
                problems.extend(err.problems)


def _was_known(source: FactorSource, as_of: date | None) -> bool:
    """Return whether an edition was out by a day; one that does not say so always was."""
    return as_of is None or source.published is None or source.published <= as_of


def _sort_key(name: str) -> str:
    """Return a name without accents and case: Åland belongs to the As."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
