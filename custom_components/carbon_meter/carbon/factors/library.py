"""All factor files together: which figure holds for a zone at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final
import unicodedata

from ...datafile import DataFileError, Problem
from .factor import WORLD, Carrier, EmissionFactor, FactorSource, Method, Stage
from .reader import FactorFile, read_factor_file

PACKAGED_FACTORS: Final = Path(__file__).parent
"""The directory of the files that come with the integration."""

type SourceFilter = Callable[[FactorSource], bool]


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone for which there is a figure, with its English name."""

    code: str
    name: str


def is_grid_average(source: FactorSource) -> bool:
    """Return whether a source has what electricity from the grid emits on average."""
    return (
        source.carrier is Carrier.ELECTRICITY
        and source.stage is Stage.GENERATION
        and source.method in {Method.GENERATION_AVERAGE, Method.CONSUMPTION_AVERAGE}
    )


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """A factor with its place in the order of directories and files."""

    directory: int
    position: int
    factor: EmissionFactor

    def preference(self, day: date | None) -> tuple[int, bool, bool, int, int, int]:
        """Return what the best of several factors for a day has the highest of.

        First comes the directory, then days named in the file before a year that
        merely measured, then the newest figure that is not of the future, then
        the nearest one that is, then the file whose name comes last.
        """
        factor = self.factor
        start = factor.valid_from or date(factor.year or date.min.year, 1, 1)
        begun = factor.is_dated or day is None or start.year <= day.year
        return (
            self.directory,
            factor.is_dated and day is not None,
            begun,
            start.toordinal() if begun else -start.toordinal(),
            factor.year or 0,
            self.position,
        )


class FactorLibrary:
    """Emission factors by zone; `problems` lists what was left out, and why.

    A zone is an ISO 3166-1 alpha-2 country code ("DE"), a part of a country
    ("CN-BJ", "US-CAMX") or "001" for the world. Figures are in gCO2eq/kWh.
    `when` is a moment in the site's own time: its calendar day decides which
    figure applies; without it the newest figure is returned.
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

    def find(
        self,
        zone: str,
        when: datetime | None = None,
        sources: SourceFilter = is_grid_average,
    ) -> EmissionFactor | None:
        """Return the factor of exactly this zone from the sources that qualify, or None.

        A later directory wins over an earlier one. Within a directory a factor
        that names its days wins on those days over a yearly one, and the newest
        year that has begun wins over older ones.
        """
        day = when.date() if when is not None else None
        candidates = [
            ranked
            for ranked in self._by_zone.get(zone.upper(), ())
            if sources(ranked.factor.source) and (day is None or ranked.factor.applies_on(day))
        ]
        best = max(candidates, key=lambda ranked: ranked.preference(day), default=None)
        return best.factor if best is not None else None

    def country(self, alpha2: str, when: datetime | None = None) -> EmissionFactor | None:
        """Return the average of a country's grid, or None if no source has one."""
        return self.find(alpha2, when)

    def best(
        self,
        zone: str | None,
        when: datetime | None = None,
        sources: SourceFilter = is_grid_average,
    ) -> EmissionFactor | None:
        """Return the factor of a zone, else of what it is part of, else of the world.

        The `zone` of the factor tells how far the search had to go. None means
        that not even the world has a figure.
        """
        for candidate in _zone_and_around(zone):
            if (factor := self.find(candidate, when, sources)) is not None:
                return factor
        return None

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


def _zone_and_around(zone: str | None) -> Iterator[str]:
    """Yield CN-BJ, then CN, then the world."""
    part = zone or ""
    while part:
        yield part
        part = part.rpartition("-")[0]
    yield WORLD


def _sort_key(name: str) -> str:
    """Return a name without accents and case: Åland belongs to the As."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
