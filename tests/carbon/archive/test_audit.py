"""The audit trail and small things."""

from dataclasses import replace
import sqlite3

import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.errors import ArchiveError
from custom_components.carbon_meter.carbon.archive.rows import AuditEntry
from tests.carbon.archived import HOUR, START

ENTRY = AuditEntry(
    when=START + 0.25,
    reason="factor_edition",
    detail="2025 → 2026",
    start=START,
    end=START + HOUR,
    owners=("site", "area:厨房"),
    before={"carbon": 0.1 + 0.2},
    after={"carbon": 1e-300},
)


def test_entries_come_back_the_newest_first(archive: Archive) -> None:
    given = [archive.add_audit(replace(ENTRY, detail=str(number))) for number in range(5)]
    assert given == sorted(set(given))
    newest = archive.audit(limit=2)
    assert newest == [
        replace(ENTRY, detail="4", id=given[4]),
        replace(ENTRY, detail="3", id=given[3]),
    ]
    assert [entry.detail for entry in archive.audit(before_id=newest[-1].id)] == ["2", "1", "0"]
    assert archive.audit(limit=0) == archive.audit(limit=-1) == []


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET reason = 'other'"])
def test_nobody_rewrites_the_trail(archive: Archive, statement: str) -> None:
    number = archive.add_audit(ENTRY)
    with (
        pytest.raises(ArchiveError, match="only appended to"),
        archive._database.writing() as writer,
    ):
        writer.execute(statement)
    other = sqlite3.connect(archive.path)
    with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
        other.execute(statement)
    other.close()
    assert archive.audit() == [replace(ENTRY, id=number)]


def test_an_amount_that_is_none_is_refused(archive: Archive) -> None:
    with pytest.raises(ValueError, match="JSON"):
        archive.add_audit(replace(ENTRY, after={"carbon": float("nan")}))
    assert archive.audit() == []


def test_small_things(archive: Archive) -> None:
    assert archive.get("edition") is None
    archive.put("edition", {"factors": ["2026", 1, None, 0.1]})
    archive.put("other", None)
    assert archive.get("edition") == {"factors": ["2026", 1, None, 0.1]}
    archive.put("edition", 3)
    assert archive.get("edition") == 3
    assert archive.get("other") is None
