"""Taking footprints: outcomes, revisions, gaps, states, members, withdrawal."""

from datetime import UTC, date, datetime
from pathlib import Path
import sqlite3
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind, Level, Quality
from custom_components.carbon_meter.community.ledger.calendar import Calendar, Grain
from custom_components.carbon_meter.community.ledger.cells import Scope
from custom_components.carbon_meter.community.ledger.database import LedgerError, TooLargeError
from custom_components.carbon_meter.community.ledger.intake import Outcome
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.ledger.village import (
    BERLIN,
    COMMUNITY,
    HOUR,
    MIDSUMMER,
    footprint,
    imported,
    item,
)

NOW = MIDSUMMER + 86400


@pytest.fixture
def ledger(tmp_path: Path):
    opened = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    for home in ("a", "b"):
        opened.assign(home, date(2026, 1, 1), feeder="north")
    yield opened
    opened.close()


def hour(ledger: Ledger, start: int = MIDSUMMER):
    return ledger.cells(Grain.HOUR, start, start + HOUR)


def test_outcomes(ledger: Ledger) -> None:
    first, later = imported("a", MIDSUMMER, 500), imported("a", MIDSUMMER, 600, revision=2)
    assert ledger.take([first, first, later, later], NOW) == [
        Outcome.ACCEPTED,
        Outcome.DUPLICATE,
        Outcome.ACCEPTED,
        Outcome.DUPLICATE,
    ]
    middle = imported("a", MIDSUMMER, 550, revision=1)
    assert ledger.take([middle, middle, first], NOW) == [
        Outcome.SUPERSEDED,
        Outcome.DUPLICATE,
        Outcome.DUPLICATE,
    ]
    assert hour(ledger)[0].sums.wh == 600


def test_same_revision_with_other_content_is_set_apart(ledger: Ledger) -> None:
    first, other = imported("a", MIDSUMMER, 500), imported("a", MIDSUMMER, 501)
    assert ledger.take([first, other, other], NOW)[1:] == [Outcome.QUARANTINED] * 2
    assert hour(ledger)[0].sums.wh == 500
    [(home, start, duration, revision, body)] = ledger.quarantined()
    assert (home, start, duration, revision) == ("a", MIDSUMMER, HOUR, 0)
    assert '"wh":501' in body


def test_a_message_sent_again_in_another_run_is_a_duplicate(ledger: Ledger) -> None:
    ledger.take([imported("a", MIDSUMMER, 500)], NOW)
    again = imported("a", MIDSUMMER, 500, boot="c", seq=77, at=1)
    assert ledger.take([again], NOW) == [Outcome.DUPLICATE]


def test_strangers_leave_nothing(ledger: Ledger) -> None:
    said = [imported("x", MIDSUMMER, 1), imported("a", MIDSUMMER, 1, community="elsewhere")]
    assert ledger.take(said, NOW) == [Outcome.STRANGER] * 2
    assert not hour(ledger)


def test_a_flow_that_a_revision_drops_is_gone(ledger: Ledger) -> None:
    both = footprint("a", MIDSUMMER, item(Flow.GRID_IMPORT, 100), item(Flow.PV, 50))
    ledger.take([both, imported("a", MIDSUMMER, 100, revision=1)], NOW)
    assert [cell.key.flow for cell in hour(ledger)] == [Flow.GRID_IMPORT]


def test_a_gap_is_not_zero(ledger: Ledger) -> None:
    missing = footprint(
        "b", MIDSUMMER, item(Flow.GRID_IMPORT, 0, quality=Quality.MISSING, coverage=0)
    )
    ledger.take([imported("a", MIDSUMMER, 500, synced=False), missing], NOW)
    [cell] = hour(ledger)
    assert (cell.homes, cell.expected, cell.lowest, cell.sums.wh) == (1, 2, 500, 500)
    assert not hour(ledger, MIDSUMMER + HOUR)


def test_kinds_of_intensity_are_never_mixed(ledger: Ledger) -> None:
    marginal = footprint("b", MIDSUMMER, item(Flow.GRID_IMPORT, 300, kind=Kind.MARGINAL))
    ledger.take([imported("a", MIDSUMMER, 500), marginal], NOW)
    assert {cell.key.kind: cell.sums.wh for cell in hour(ledger)} == {
        Kind.AVERAGE: 500,
        Kind.MARGINAL: 300,
    }


def test_an_hour_and_its_quarters_count_once(ledger: Ledger) -> None:
    quarters = [imported("a", MIDSUMMER + number * 900, 100, duration=900) for number in range(4)]
    ledger.take(quarters, NOW)
    [cell] = hour(ledger)
    assert (cell.homes, cell.sums.periods, cell.sums.wh, cell.lowest) == (1, 4, 400, 400)
    ledger.take([imported("a", MIDSUMMER, 410)], NOW)
    [cell] = hour(ledger)
    assert (cell.sums.periods, cell.sums.wh) == (1, 410)
    ledger.take([imported("a", MIDSUMMER, 999, duration=900, revision=1)], NOW)
    assert hour(ledger)[0].sums.wh == 410


def test_only_touched_cells_are_opened_again(ledger: Ledger) -> None:
    ledger.take([imported("a", MIDSUMMER + n * HOUR, 500) for n in range(3)], NOW)
    assert ledger.settle() == 0
    ledger.take([imported("a", MIDSUMMER + HOUR, 400, revision=1)], NOW + 5)
    cells = ledger.cells(Grain.HOUR, MIDSUMMER, MIDSUMMER + 3 * HOUR)
    assert [(cell.revision, cell.changed_at - NOW) for cell in cells] == [(0, 0), (1, 5), (0, 0)]
    same = imported("a", MIDSUMMER + HOUR, 400, revision=2, method="location@2")
    ledger.take([same], NOW + 9)
    assert hour(ledger, MIDSUMMER + HOUR)[0].revision == 1


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # there was no midnight
        ("Asia/Kolkata", date(2026, 6, 1), 24),
    ],
)
def test_days_are_local(tmp_path: Path, zone: str, day: date, hours: int) -> None:
    with_zone = Ledger(tmp_path / "l.db", community=COMMUNITY, zone=ZoneInfo(zone))
    with_zone.assign("a", date(2018, 1, 1))
    begin = with_zone.calendar.begin(day)
    first = begin - begin % HOUR - 3 * HOUR
    with_zone.take([imported("a", first + n * HOUR, 1) for n in range(40)], NOW)
    [cell] = [
        each for each in with_zone.cells(Grain.DAY, begin, begin + 1) if each.key.begin == begin
    ]
    assert cell.sums.wh == hours
    assert cell.end - begin == hours * HOUR
    with_zone.close()


def test_a_day_of_utc_belongs_to_the_local_day_that_has_its_middle() -> None:
    start = int(datetime(2026, 6, 20, tzinfo=UTC).timestamp())
    for zone in ("America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo"):
        calendar = Calendar(ZoneInfo(zone))
        assert calendar.day(start, 86400) == calendar.begin(date(2026, 6, 20))


def test_moving_takes_effect_for_whole_local_days(ledger: Ledger) -> None:
    """Berlin's day begins at 22:00 UTC in summer."""
    midnight = MIDSUMMER + 22 * HOUR
    ledger.take([imported("a", midnight - HOUR, 1), imported("a", midnight, 10)], NOW)
    ledger.assign("a", date(2026, 6, 21), feeder="south", groups=["school"])

    def wh(scope, name):
        return [
            cell.sums.wh
            for cell in ledger.cells(Grain.HOUR, MIDSUMMER, NOW, scope=scope, name=name)
        ]

    assert wh(Scope.FEEDER, "north") == [1]
    assert wh(Scope.FEEDER, "south") == wh(Scope.GROUP, "school") == [10]
    month = ledger.calendar.begin(date(2026, 6, 1))
    [cell] = ledger.cells(Grain.MONTH, month, month + 1)
    assert (cell.homes, cell.sums.wh) == (1, 11)


def test_expected_homes_follow_membership(ledger: Ledger) -> None:
    ledger.leave("b", date(2026, 6, 20))
    day = ledger.calendar.begin(date(2026, 6, 19))
    ledger.take([imported("a", day, 1), imported("a", day + 86400, 1)], NOW)
    cells = ledger.cells(Grain.DAY, day, NOW)
    assert [cell.expected for cell in cells] == [2, 1]
    assert ledger.expected(day, day + 1, scope=Scope.FEEDER, name="north") == 2
    assert ledger.expected(day, day + 1, scope=Scope.FEEDER, name="south") == 0


def test_withdrawal_deletes_everything(ledger: Ledger, tmp_path: Path) -> None:
    def telling(home: str, wh: int, *, revision: int = 0):
        """Return a message in which every text is of the home alone."""
        texts = {name: f"{name}-of-{home}-{revision}" for name in ("source", "zone", "version")}
        return footprint(
            home,
            MIDSUMMER,
            item(Flow.GRID_IMPORT, wh, **texts),
            revision=revision,
            boot=f"boot-of-{home}",
            method=f"method-of-{home}@1",
            software=f"software-of-{home}",
        )

    said = [telling(home, 123_457) for home in "ab"]
    ledger.take([*said, imported("a", MIDSUMMER, 9)], NOW)
    ledger.take([telling(home, 123_457, revision=1) for home in "ab"], NOW)
    ledger.withdraw("a")
    [cell] = hour(ledger)
    assert (cell.homes, cell.sums.wh, cell.expected) == (1, 123_457, 1)
    assert ledger.recompute() == 0
    assert ledger.take(said, NOW) == [Outcome.STRANGER, Outcome.DUPLICATE]
    assert not ledger.quarantined()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for name in ("source", "zone", "version"):
        for revision in range(2):
            assert f"{name}-of-b-{revision}".encode() in files
    assert b"method-of-b" in files
    assert b"software-of-b" in files
    assert b"-of-a" not in files


def test_missing_asks_for_what_no_period_holds(ledger: Ledger) -> None:
    start = MIDSUMMER
    ledger.take(
        [imported("a", start + n * HOUR, 1) for n in (0, 3, 4)]
        + [imported("a", start + 5 * HOUR, 1, duration=900)],
        NOW,
    )
    assert ledger.missing("a", start, start + 7 * HOUR) == [
        (start + HOUR, 2),
        (start + 5 * HOUR, 2),
    ]
    ledger.take([imported("a", start, 24, duration=86400)], NOW)
    assert ledger.missing("a", start, start + 25 * HOUR) == [(start + 24 * HOUR, 1)]
    assert ledger.missing("a", start + 1, start + HOUR) == []
    assert ledger.missing("x", start, start + HOUR) == []
    ledger.leave("b", date(2026, 6, 20))
    local = ledger.calendar.begin(date(2026, 6, 20))
    assert ledger.missing("b", local - HOUR, local + HOUR) == [(local - HOUR, 1)]


def test_homes_of_a_cell(ledger: Ledger) -> None:
    ledger.take([imported("a", MIDSUMMER, 5), imported("b", MIDSUMMER, 7)], NOW)
    for grain in Grain:
        begin = {
            Grain.HOUR: MIDSUMMER,
            Grain.DAY: ledger.calendar.begin(date(2026, 6, 20)),
            Grain.MONTH: ledger.calendar.begin(date(2026, 6, 1)),
            Grain.YEAR: ledger.calendar.begin(date(2026, 1, 1)),
        }[grain]
        [cell] = ledger.cells(grain, begin, begin + 1, scope=Scope.FEEDER, name="north")
        homes = {home: sums.wh for home, sums in ledger.homes_of(cell.key).items()}
        assert homes == {"a": 5, "b": 7}
        assert (cell.lowest, cell.highest) == (5, 7)


def test_recompute_finds_and_rights_what_is_wrong(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take([imported("a", MIDSUMMER, 5)], NOW)
    ledger.settle()
    with sqlite3.connect(tmp_path / "ledger.db") as vandal:
        vandal.execute("UPDATE cells SET wh = 6 WHERE grain = 'hour' AND scope = 'feeder'")
        vandal.execute("DELETE FROM totals WHERE grain = 'month'")
    vandal.close()
    assert ledger.recompute() == 2
    assert ledger.recompute() == 0
    [cell] = ledger.cells(Grain.HOUR, MIDSUMMER, MIDSUMMER + 1, scope=Scope.FEEDER, name="north")
    assert (cell.sums.wh, cell.revision) == (5, 1)


def test_a_sum_beyond_64_bits_leaves_out_who_makes_it(ledger: Ledger) -> None:
    ledger.take([imported("b", MIDSUMMER, 1)], NOW)
    huge = [
        footprint(home, MIDSUMMER + HOUR, item(Flow.GRID_IMPORT, 1 << 62, mg=0)) for home in "ab"
    ]
    ledger.take([*huge, imported("b", MIDSUMMER + 24 * HOUR, 3)], NOW)
    cells = ledger.cells(Grain.HOUR, MIDSUMMER, MIDSUMMER + 25 * HOUR)
    assert [cell.sums.wh for cell in cells] == [1 << 62, 3]
    assert {row[:2] for row in ledger.quarantined()} == {
        ("b", MIDSUMMER),
        ("b", MIDSUMMER + HOUR),
    }
    assert ledger.recompute() == 0
    with pytest.raises(TooLargeError):
        ledger.take(
            [footprint("b", MIDSUMMER, item(Flow.GRID_IMPORT, 1 << 62, mg=0), revision=1)], NOW
        )
    ledger.take([imported("b", MIDSUMMER, 2, revision=1)], NOW)
    assert [cell.sums.wh for cell in ledger.cells(Grain.HOUR, MIDSUMMER, MIDSUMMER + 1)] == [2]
    assert ledger.recompute() == 0


def test_extremes_are_those_of_what_is_booked(ledger: Ledger) -> None:
    ledger.take([imported("a", MIDSUMMER, 5), imported("a", MIDSUMMER + HOUR, 5)], NOW)
    ledger.settle()
    ledger.take([imported("b", MIDSUMMER, 3)], NOW)
    ledger.take([imported("a", MIDSUMMER, 7, revision=1)], NOW)  # looks for the least anew
    ledger.take([imported("b", MIDSUMMER, 10, revision=1)], NOW)
    [cell] = hour(ledger)
    assert (cell.lowest, cell.highest, cell.sums.wh) == (7, 10, 17)
    assert ledger.recompute() == 0


@pytest.mark.parametrize(
    ("community", "zone"), [("other", BERLIN), (COMMUNITY, ZoneInfo("Europe/Lisbon"))]
)
def test_a_ledger_of_something_else_is_refused(
    ledger: Ledger, tmp_path: Path, community: str, zone: ZoneInfo
) -> None:
    with pytest.raises(LedgerError, match=r"its (community|zone) is"):
        Ledger(tmp_path / "ledger.db", community=community, zone=zone)


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE cells (x)")
    other.close()
    (tmp_path / "noise.db").write_bytes(b"noise" * 999)
    for name in ("other.db", "noise.db", "no/such/folder.db"):
        with pytest.raises(LedgerError):
            Ledger(tmp_path / name, community=COMMUNITY, zone=BERLIN)


def test_what_every_revision_told_is_known_until_its_home_withdraws(ledger: Ledger) -> None:
    for revision, wh in enumerate((500, 600, 0)):
        told = item(Flow.GRID_IMPORT, wh, mg=wh * 380, carbon_free=wh // 2)
        ledger.take([footprint("a", MIDSUMMER, told, revision=revision)], NOW)
    ledger.take([footprint("a", MIDSUMMER, item(Flow.PV, 70, mg=7), revision=3)], NOW)
    parts = [("a", MIDSUMMER, HOUR, revision) for revision in range(4)]
    assert ledger.told_energy(parts, Flow.GRID_IMPORT) == [500, 600, 0, None]
    assert ledger.told_energy(parts, Flow.PV) == [None, None, None, 70]
    # A day of it all: its hours do not count any more.
    ledger.take([imported("a", MIDSUMMER, 3, duration=86400)], NOW)
    assert ledger.told_energy(parts, Flow.PV)[3] == 70
    ledger.withdraw("a")
    assert ledger.told_energy(parts, Flow.GRID_IMPORT) == [None] * 4


def test_a_file_of_the_first_version_goes_on(ledger: Ledger, tmp_path: Path) -> None:
    ledger.take([imported("a", MIDSUMMER, 500)], NOW)
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as older:
        older.execute("DROP TABLE former")
        older.execute("DROP TABLE published")
        older.execute("PRAGMA user_version = 1")
    older.close()
    again = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    again.take([imported("a", MIDSUMMER, 600, revision=1)], NOW)
    assert (hour(again)[0].sums.wh, again.published) == (600, 0)
    again.published = 7
    again.close()
    again = Ledger(tmp_path / "ledger.db", community=COMMUNITY, zone=BERLIN)
    assert again.published == 7
    assert again.told_energy([("a", MIDSUMMER, HOUR, 0)], Flow.GRID_IMPORT) == [500]
    again.close()


def test_levels_are_known(ledger: Ledger) -> None:
    ledger.take([imported("a", MIDSUMMER, 1, level=Level.CLEAR), imported("b", MIDSUMMER, 1)], NOW)
    day = ledger.calendar.begin(date(2026, 6, 20))
    found = ledger.contributions(day, day + 86400, Flow.GRID_IMPORT, Kind.AVERAGE, with_level=True)
    assert found.is_clear.tolist() == [True, False]
