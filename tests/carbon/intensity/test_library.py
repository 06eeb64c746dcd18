"""The yearly factor of a zone, day by day of the site's own calendar."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.carbon.factors.factor import (
    EmissionFactor,
    FactorSource,
    Scope,
)
from custom_components.carbon_meter.carbon.factors.library import (
    Caveat,
    FactorLibrary,
    load_library,
)
from custom_components.carbon_meter.carbon.factors.reader import FactorFile
from custom_components.carbon_meter.carbon.factors.selection import Selection
from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.library import LibrarySource

SOURCE = FactorSource(
    id="table",
    title="Table",
    publisher="Office",
    edition="2025",
    scope=Scope.LIFE_CYCLE,
    includes_td=False,
    file="table.yaml",
    licence="CC-BY-4.0",
    attribution="Office 2025",
)
PACKAGED = load_library()


def library(*factors: dict[str, object]) -> FactorLibrary:
    rows = tuple(EmissionFactor(source=SOURCE, line=1, **factor) for factor in factors)
    return FactorLibrary([[FactorFile(source=SOURCE, factors=rows, line=1, problems=())]])


def stamp(*when: int, zone: str = "UTC") -> float:
    return datetime(*when, tzinfo=ZoneInfo(zone)).timestamp()


def told(source: LibrarySource, start: float, end: float) -> list[tuple[float, float, float]]:
    return [(item.start, item.end, item.value) for item in source.intervals(start, end)]


async def test_the_newest_factor_and_where_it_is_from() -> None:
    source = LibrarySource(library({"zone": "DE", "value": 342.0, "year": 2024}), "DE")
    await source.refresh()

    start, end = stamp(2026, 5, 1), stamp(2026, 5, 2)
    (interval,) = source.intervals(start, end)

    assert (interval.start, interval.end, interval.value) == (start, end, 342.0)
    assert (interval.grade, interval.source) == (Grade.YEARLY, "library:table:DE:2024")
    assert source.factor.value == 342.0
    assert source.info.id == "library:table"
    assert interval.source.startswith(source.info.id)
    assert (source.info.name, source.info.scope) == ("Office, 2025", Scope.LIFE_CYCLE)
    assert (source.info.licence, source.info.attribution) == ("CC-BY-4.0", "Office 2025")


def test_a_year_without_a_change_is_one_interval() -> None:
    source = LibrarySource(library({"zone": "DE", "value": 342.0, "year": 2024}), "DE")
    start, end = stamp(2026, 1, 1), stamp(2027, 1, 1)

    assert told(source, start, end) == [(start, end, 342.0)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/Havana", "UTC"])
def test_a_new_factor_begins_with_the_local_day(zone) -> None:
    source = LibrarySource(
        library(
            {"zone": "XX", "value": 100.0, "valid_to": date(2026, 3, 29)},
            {"zone": "XX", "value": 200.0, "valid_from": date(2026, 3, 29)},
        ),
        "XX",
        ZoneInfo(zone),
    )
    start, end = stamp(2026, 3, 27, 12, zone=zone), stamp(2026, 3, 31, 7, zone=zone)
    change = stamp(2026, 3, 29, zone=zone)

    assert told(source, start, end) == [(start, change, 100.0), (change, end, 200.0)]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", (2026, 3, 29)),
        ("Europe/Berlin", (2026, 10, 25)),
        ("America/Havana", (2026, 3, 8)),  # midnight does not exist there that day
        ("America/Havana", (2026, 11, 1)),  # and comes twice
        ("Asia/Kolkata", (2026, 3, 29)),
        ("Australia/Lord_Howe", (2026, 4, 5)),
    ],
)
def test_the_days_on_which_clocks_change_have_no_hole(zone, day) -> None:
    source = LibrarySource(
        library(*({"zone": "XX", "value": float(2000 + n), "year": 2000 + n} for n in range(20))),
        "XX",
        ZoneInfo(zone),
    )
    start = stamp(*day, zone=zone) - 90_000.5
    found = source.intervals(start, start + 260_000)

    assert (found[0].start, found[-1].end) == (start, start + 260_000)
    assert all(before.end == after.start for before, after in pairwise(found))


def test_a_zone_without_a_figure_has_that_of_the_world() -> None:
    source = LibrarySource(PACKAGED, "AQ")

    assert source.factor.zone == "001"
    assert source.intervals(0, 10)[0].source.split(":")[2] == "001"
    assert LibrarySource(PACKAGED, None).factor.zone == "001"


def test_only_the_tables_that_are_asked_for() -> None:
    official = LibrarySource(PACKAGED, "GB", sources=Selection(scope=Scope.DIRECT))
    assert official.info.id == "library:uk_desnz_2026"
    assert official.info.scope is Scope.DIRECT
    moment = stamp(2025, 3, 1)
    assert official.intervals(moment, moment + 1)[0].value == 177.0

    then = LibrarySource(
        PACKAGED, "GB", sources=Selection(scope=Scope.DIRECT), as_of=date(2025, 6, 9)
    )
    assert then.intervals(moment, moment + 1)[0].value == 207.05


def test_what_is_not_verified_or_of_another_zone_is_said() -> None:
    india = LibrarySource(PACKAGED, "IN", sources=Selection(scope=Scope.DIRECT))
    assert india.info.name.endswith("version 21.0 (not verified)")
    assert india.caveats == (Caveat.NOT_VERIFIED,)
    assert LibrarySource(PACKAGED, "CN-XZ").caveats == (Caveat.ANOTHER_ZONE,)
    assert LibrarySource(PACKAGED, "DE").caveats == ()


def test_a_library_without_any_figure_is_refused() -> None:
    with pytest.raises(LookupError, match="no figure for DE nor for the world"):
        LibrarySource(FactorLibrary([]), "DE")


def test_a_time_before_every_factor_has_a_figure_all_the_same() -> None:
    source = LibrarySource(PACKAGED, "DE")

    assert source.intervals(0, 1)[0].value > 0


@pytest.mark.parametrize(("start", "end"), [(5.0, 5.0), (6.0, 5.0)])
def test_no_time_has_no_intensity(start, end) -> None:
    assert list(LibrarySource(PACKAGED, "DE").intervals(start, end)) == []


def test_the_site_s_own_midnight_is_meant() -> None:
    """23:30 UTC of the 31st is the first of the month in Berlin."""
    factors = library(
        {"zone": "DE", "value": 1.0, "valid_to": date(2027, 1, 1)},
        {"zone": "DE", "value": 2.0, "valid_from": date(2027, 1, 1)},
    )
    moment = datetime(2026, 12, 31, 23, 30, tzinfo=UTC).timestamp()

    assert LibrarySource(factors, "DE").intervals(moment, moment + 1)[0].value == 1.0
    berlin = LibrarySource(factors, "DE", ZoneInfo("Europe/Berlin"))
    assert berlin.intervals(moment, moment + 1)[0].value == 2.0
