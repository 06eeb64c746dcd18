"""The hub's books: what homes have agreed to, which of their numbers have come, what was refused.

Energy stands in the ledger. What is here can be lost without losing any: homes then agree again
when they connect, and send again what no ack has covered. A damaged file is moved aside for that.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
import json
from pathlib import Path
import sqlite3
import threading
from typing import Any, Final

from ..contract.answers import Ack
from ..contract.consent import (
    Agreement,
    Consent,
    Withdrawal,
    proof_of,
    read_agreement,
    write_agreement,
)
from ..contract.fields import LARGEST_NUMBER
from ..contract.refusal import RefusedError
from ..contract.topics import Channel
from .books_file import BooksFile
from .errors import StoreError
from .numbers import Numbers

UNHEARD: Final = 400 * 86400
"""Seconds after which the numbers of a run are forgotten: as old as anything a home still tells."""

LEAVING: Final = 7 * 86400
"""Seconds for which who has withdrawn may still fetch the proof that all is deleted."""

MOST_PARTING: Final = 10_000
"""Runs that wait in memory for their last ack; homes send again what is beyond."""

MOST_IN_MEMORY: Final = 20_000
"""Homes whose numbers, and whose agreements, are held in memory."""

_PUT_RECEIVED: Final = """INSERT INTO received VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (home, boot) DO UPDATE SET upto = excluded.upto, also = excluded.also,
  highest = excluded.highest, digest = excluded.digest, heard_at = excluded.heard_at,
  is_owed = excluded.is_owed"""
_PUT_AGREEMENT: Final = """INSERT INTO agreement VALUES (?, ?, ?)
ON CONFLICT (home) DO UPDATE SET topic = excluded.topic, body = excluded.body"""
_PUT_REFUSED: Final = """INSERT INTO refused VALUES (?, ?)
ON CONFLICT (code) DO UPDATE SET count = count + excluded.count"""
type _Run = tuple[str, str]
"""Home and boot."""


class Books:
    """One community's books in one file.

    Changes are made in memory first, and are on the disk after `commit`; after `revert` none of
    them is left. Every method may raise StoreError. One thread at a time.
    """

    def __init__(self, path: Path, *, boots: int = 8) -> None:
        """Open the file or begin it; `boots` bounds the runs of one home that are kept."""
        self._file = BooksFile(path)
        self._boots = boots
        self._lock = threading.RLock()
        self._agreements: dict[str, Agreement] = {}
        """Of homes that were asked for; pseudonyms of all times would not fit into memory."""

        self._numbers: dict[str, dict[str, Numbers]] = {}
        self._owed: dict[_Run, None] = {}
        self._new_agreements: dict[str, Agreement] = {}
        self._changed: dict[_Run, None] = {}
        self._parting: deque[tuple[str, str, Numbers]] = deque(maxlen=MOST_PARTING)
        """Runs of which nothing is kept any more, but that homes have to be told of."""

        self._load()

    @property
    def damaged(self) -> Path | None:
        """Return where a damaged file was moved, None if it was sound."""
        return self._file.damaged

    def close(self) -> None:
        """Let go of the file; what was told to homes is written down where that can be."""
        with self._lock:
            with suppress(StoreError):
                self.commit()
            self._file.close()

    # What homes have agreed to

    def agreements(self) -> Mapping[str, Agreement]:
        """Return what holds of every home that has ever agreed or withdrawn."""
        with self._lock:
            with self._file.reading() as connection:
                rows = connection.execute("SELECT topic, body FROM agreement").fetchall()
            kept = (held for row in rows if (held := _agreement(*row)) is not None)
            return {held.home: held for held in kept} | self._new_agreements

    def agreement(self, home: str) -> Agreement | None:
        """Return what holds of a home."""
        with self._lock:
            if (new := self._new_agreements.get(home)) is not None:
                return new
            if (held := self._agreements.get(home)) is not None:
                return held
            with self._file.reading() as connection:
                row = connection.execute(
                    "SELECT topic, body FROM agreement WHERE home = ?", (home,)
                ).fetchone()
            held = None if row is None else _agreement(*row)
            if held is not None:
                self._hold({home: held})
            return held

    @property
    def has_agreed(self) -> bool:
        """Return whether agreements wait for `commit`."""
        return bool(self._new_agreements)

    def agree(self, agreement: Agreement) -> None:
        """Let an agreement hold."""
        with self._lock:
            self._new_agreements[agreement.home] = agreement

    def is_proven(self, home: str, secret: str) -> bool:
        """Return whether somebody knows the secret behind the proof in a home's consent."""
        held = self.agreement(home)
        return isinstance(held, Consent) and held.proof == proof_of(secret)

    def forget(self, withdrawal: Withdrawal, home: str, now: float) -> None:
        """Forget a home that has withdrawn by itself, or by one that it has become since.

        It is on the disk at once. What stays is that nothing older is to be taken from that id,
        and of an id of the past nothing at all: two that were one home look like any two.
        """
        at = withdrawal.at if home == withdrawal.home else LARGEST_NUMBER
        left = Withdrawal(community=withdrawal.community, home=home, at=at)
        with self._lock:
            self.agree(left)
            for boot in self._runs(home):
                self._owed.pop((home, boot), None)
                self._changed.pop((home, boot), None)
            for run in [run for run in self._parting if run[0] == home]:
                self._parting.remove(run)
            with self._file.writing() as connection:
                for table in ("received", "asked"):
                    connection.execute(f"DELETE FROM {table} WHERE home = ?", (home,))  # noqa: S608
                connection.execute(
                    "INSERT INTO leaving VALUES (?, ?) ON CONFLICT DO NOTHING", (home, int(now))
                )
                self._put_agreements(connection)
            self._agreed()
            self._numbers.pop(home, None)
            self._file.empty_log()

    def withdrawn(self) -> set[str]:
        """Return the ids of which all was deleted; they are kept for ever."""
        end = f"/{Channel.WITHDRAWAL}"
        with self._lock:
            with self._file.reading() as connection:
                rows = connection.execute(
                    "SELECT home FROM agreement WHERE substr(topic, -?) = ?", (len(end), end)
                ).fetchall()
            new = self._new_agreements.values()
            return {home for (home,) in rows} | {
                held.home for held in new if isinstance(held, Withdrawal)
            }

    def leavers(self, now: float) -> list[str]:
        """Return who has had the time to fetch the proof that all is deleted."""
        with self._lock, self._file.reading() as connection:
            rows = connection.execute(
                "SELECT home FROM leaving WHERE since <= ? ORDER BY home", (int(now) - LEAVING,)
            ).fetchall()
        return [home for (home,) in rows]

    def left(self, home: str) -> None:
        """Take note that a home has left for good."""
        with self._lock, self._file.writing() as connection:
            connection.execute("DELETE FROM leaving WHERE home = ?", (home,))

    # What has come

    def received(self, home: str, boot: str, seq: int, digest: str, now: float) -> None:
        """Take note that a footprint is in the ledger."""
        with self._lock:
            runs = self._runs(home)
            if (numbers := runs.get(boot)) is None:
                numbers = runs[boot] = Numbers()
            numbers.add(seq, digest)
            numbers.heard_at = int(now)
            self._changed[home, boot] = None

    def owed(self, community: str, most: int) -> list[Ack]:
        """Return acks that homes have not been told, the oldest first; they then count as told.

        Somewhat more than `most` where the numbers of a run do not fit into one.
        """
        with self._lock:
            acks: list[Ack] = []
            while self._parting and len(acks) < most:
                acks += _acks(community, *self._parting.popleft())
            for home, boot in list(self._owed):
                if len(acks) >= most:
                    break
                del self._owed[home, boot]
                numbers = self._runs(home).get(boot)
                if numbers is None or not numbers.is_owed:
                    continue
                acks += _acks(community, home, boot, numbers)
                self._changed[home, boot] = None
            return acks

    @property
    def owing(self) -> int:
        """Return how many acks are owed."""
        return len(self._owed) + len(self._parting)

    def last_heard_at(self) -> float | None:
        """Return when a footprint of any home came last, None if none is known of."""
        with self._lock, self._file.reading() as connection:
            row = connection.execute("SELECT MAX(heard_at) FROM received").fetchone()
        at: int | None = row[0]
        return at

    def tidy(self, now: float) -> None:
        """Forget runs that were not heard of for long, and what memory need not hold."""
        with self._lock:
            self.commit()
            with self._file.writing() as connection:
                connection.execute("DELETE FROM received WHERE heard_at < ?", (now - UNHEARD,))
            self._numbers.clear()

    # What is missed

    def asked(self, home: str) -> tuple[int, int, int] | None:
        """Return when a home may be asked next, how often it was, and for how many periods."""
        with self._lock, self._file.reading() as connection:
            row: tuple[int, int, int] | None = connection.execute(
                "SELECT due, tries, missing FROM asked WHERE home = ?", (home,)
            ).fetchone()
        return row

    def ask(self, home: str, due: float, tries: int, missing: int) -> None:
        """Take note of what a home was asked for."""
        with self._lock, self._file.writing() as connection:
            connection.execute(
                "INSERT INTO asked VALUES (?, ?, ?, ?) ON CONFLICT (home) DO UPDATE SET"
                " due = excluded.due, tries = excluded.tries, missing = excluded.missing",
                (home, int(due), tries, missing),
            )

    # What was refused

    def refusals(self) -> Mapping[str, int]:
        """Return how many messages were ever refused, by code, and not looked at, by why."""
        with self._lock, self._file.reading() as connection:
            return dict(connection.execute("SELECT code, count FROM refused").fetchall())

    # The disk

    def commit(self, refused: Mapping[str, int] | None = None) -> None:
        """Have all changes, and new refusals by code, on the disk when this returns."""
        with self._lock:
            if not (self._changed or self._new_agreements or refused or self._file.is_begun_anew):
                return
            with self._file.writing() as connection:
                self._put_agreements(connection)
                connection.executemany(_PUT_RECEIVED, self._rows())
                parting = self._drop_old_boots(connection)
                connection.executemany(_PUT_REFUSED, list((refused or {}).items()))
            self._parting.extend(parting)
            for home, boot in self._changed:
                numbers = self._numbers[home].get(boot)
                if numbers is not None and numbers.is_owed:
                    self._owed.setdefault((home, boot))
            self._changed.clear()
            self._agreed()
            if len(self._numbers) > MOST_IN_MEMORY:
                self._numbers.clear()

    def revert(self) -> None:
        """Drop all changes since the last commit; what the file says holds."""
        with self._lock:
            self._numbers.clear()
            self._changed.clear()
            self._new_agreements.clear()

    def _runs(self, home: str) -> dict[str, Numbers]:
        """Return the numbers of a home by boot."""
        if (runs := self._numbers.get(home)) is None:
            with self._file.reading() as connection:
                rows = connection.execute(
                    "SELECT boot, upto, also, highest, digest, heard_at, is_owed FROM received"
                    " WHERE home = ?",
                    (home,),
                ).fetchall()
            runs = self._numbers[home] = {row[0]: _numbers(row[1:]) for row in rows}
        return runs

    def _rows(self) -> list[tuple[Any, ...]]:
        """Return the rows of the numbers that have changed."""
        rows = []
        for home, boot in self._changed:
            numbers = self._numbers[home][boot]
            also = json.dumps(numbers.also, separators=(",", ":")) if numbers.also else "[]"
            rows.append(
                (
                    *(home, boot, numbers.upto, also, numbers.highest),
                    *(numbers.digest, numbers.heard_at, int(numbers.is_owed)),
                )
            )
        return rows

    def _drop_old_boots(self, connection: sqlite3.Connection) -> list[tuple[str, str, Numbers]]:
        """Keep the latest runs of each home that has changed; return others that are owed acks."""
        parting = []
        for home in {home for home, _ in self._changed}:
            runs = self._numbers[home]
            if len(runs) <= self._boots:
                continue
            # Of those heard in one second, what has come in memory last is the latest.
            latest = sorted(runs, key=lambda boot: runs[boot].heard_at)
            for boot in latest[: -self._boots]:
                connection.execute("DELETE FROM received WHERE home = ? AND boot = ?", (home, boot))
                self._owed.pop((home, boot), None)
                if runs[boot].is_owed:
                    parting.append((home, boot, runs[boot]))
                del runs[boot]
        return parting

    def _put_agreements(self, connection: sqlite3.Connection) -> None:
        """Write what has been agreed to."""
        new = self._new_agreements
        if self._file.is_begun_anew:
            new = self._agreements | new
        rows = [(home, *write_agreement(held)) for home, held in new.items()]
        connection.executemany(_PUT_AGREEMENT, rows)
        back = [(home,) for home, held in new.items() if isinstance(held, Consent)]
        connection.executemany("DELETE FROM leaving WHERE home = ?", back)

    def _agreed(self) -> None:
        """Take note that all agreements are on the disk."""
        self._hold(self._new_agreements)
        self._new_agreements.clear()
        self._file.is_begun_anew = False

    def _hold(self, agreements: Mapping[str, Agreement]) -> None:
        """Hold agreements in memory, in the place of those that were held first."""
        self._agreements |= agreements
        while len(self._agreements) > MOST_IN_MEMORY:
            del self._agreements[next(iter(self._agreements))]

    def _load(self) -> None:
        """Read what is held in memory."""
        with self._file.reading() as connection:
            owed = connection.execute(
                "SELECT home, boot FROM received WHERE is_owed = 1 ORDER BY heard_at"
            ).fetchall()
        self._owed = dict.fromkeys(owed)


def _acks(community: str, home: str, boot: str, numbers: Numbers) -> Iterator[Ack]:
    """Yield what a home is to be told of a run."""
    for told in numbers.tell():
        yield Ack(
            community=community,
            home=home,
            boot=boot,
            upto=told.upto,
            also=told.also,
            digest=told.digest,
        )


def _numbers(row: tuple[int, str, int, str, int, int]) -> Numbers:
    """Return numbers as the file has them."""
    upto, also, highest, digest, heard_at, is_owed = row
    return Numbers(
        upto=upto,
        also=[(first, last) for first, last in json.loads(also)],
        highest=highest,
        digest=digest,
        heard_at=heard_at,
        is_owed=bool(is_owed),
    )


def _agreement(topic: str, body: bytes) -> Agreement | None:
    """Return an agreement as the file has it, None for one that cannot be read any more."""
    try:
        return read_agreement(topic, body)
    except RefusedError:
        return None
