"""The bare loop: paho with manual acknowledgement, json, the same rows, commit, acknowledge.

Nothing is checked: no clause of the contract, no consent, no second revision, no digest of the
content; no home gets an answer. What remains is what anybody must do who keeps the same rows.
Batches and the settings of SQLite are those of the hub.
"""

# ruff: noqa: S608  # built from the names of columns, never from what anybody said

from collections.abc import Mapping
import hashlib
import json
from pathlib import Path
import sqlite3
import threading
import time
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.community import village
from benchmarks.community.rig import Rig
from custom_components.carbon_meter.community.contract.topics import to_hub
from custom_components.carbon_meter.community.ledger import statements
from custom_components.carbon_meter.community.ledger.calendar import Calendar
from custom_components.carbon_meter.community.ledger.schema import SUMS

BATCH: Final = 500
WAIT: Final = 0.05
"""Seconds in which a batch fills."""

INFLIGHT: Final = 1000
EXPIRY: Final = 7 * 86400

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA cache_size = -65536",
    "PRAGMA secure_delete = ON",
)
_QUALITIES: Final = {"measured": 0, "substituted": 1, "estimated": 2, "missing": 3}
_MARKS: Final = ", ".join("?" for _ in SUMS)


def _added(table: str) -> str:
    return ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)


_ADD_TOTAL: Final = f"""INSERT INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, {_MARKS})
ON CONFLICT DO UPDATE SET {_added("totals")}"""
_ADD_CELL: Final = f"""INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, 1, {_MARKS}, ?, ?, 0, ?)
ON CONFLICT DO UPDATE SET homes = cells.homes + 1, {_added("cells")},
  lowest = MIN(lowest, excluded.lowest), highest = MAX(highest, excluded.highest),
  revision = revision + 1, changed_at = excluded.changed_at"""


class Rows:
    """The rows of a batch; with `sums` those of totals and cells, too.

    How many homes a day, month or year has, and the least and the most of one, come out wrong:
    what is right needs to know what a home had before.
    """

    def __init__(self, connection: sqlite3.Connection, *, sums: bool) -> None:
        """Read where the homes are."""
        self._connection = connection
        self._sums = sums
        self._calendar = Calendar(village.ZONE)
        self._scopes: dict[int, list[tuple[str, str]]] = {}
        for place, scope, name in connection.execute("SELECT place, scope, name FROM places"):
            self._scopes.setdefault(place, []).append((scope, name))
        self._places = dict(connection.execute("SELECT home, place FROM homes").fetchall())
        self._revisions: list[tuple[Any, ...]] = []
        self._items: list[tuple[Any, ...]] = []
        self._totals: list[tuple[Any, ...]] = []
        self._cells: list[tuple[Any, ...]] = []

    def add(self, payload: bytes, now: int) -> None:
        """Take up what a payload says."""
        said: Mapping[str, Any] = json.loads(payload)
        home, start, duration = said["src"], said["start"], said["dur"]
        key = (village.COMMUNITY, home, start, duration)
        digest = hashlib.sha256(payload).hexdigest()
        tail = (said["method"], said["sw"], said["level"], said["final"])
        self._revisions.append((*key, said["rev"], digest, now, said["at"], *tail))
        day = self._calendar.day(start, duration)
        hour = start - start % 3600
        place = self._places[home]
        unsynced = int(not said["clk"]["synced"])
        for item in said["items"]:
            flow, kind, wh, mg = item["flow"], item["ci"]["kind"], item["wh"], item["mg"]
            free, coverage, quality = item["cf"] or 0, item["cov"], _QUALITIES[item["q"]]
            where = (flow, kind, said["rev"], hour, day, place, 1, quality)
            self._items.append((*key, *where, wh, mg, free, wh, coverage, unsynced, 1))
            if self._sums:
                sums = (1, wh, mg, free, wh, wh, 0, coverage * duration, duration, unsynced)
                self._add_up(home, hour, day, (flow, kind), sums, now)

    def _add_up(  # noqa: PLR0913, PLR0917  # what makes a row
        self,
        home: str,
        hour: int,
        day: int,
        series: tuple[str, str],
        sums: tuple[int, ...],
        now: int,
    ) -> None:
        """Take up what an item adds to totals and cells."""
        place, wh = self._places[home], sums[1]
        months = {"month": self._calendar.month(day), "year": self._calendar.year(day)}
        for grain, begin in {"hour": hour, "day": day, **months}.items():
            head = (village.COMMUNITY, grain, begin)
            if grain != "hour":
                self._totals.append((*head, home, place, *series, *sums))
            for scope in self._scopes[place]:
                self._cells.append((*head, *scope, *series, *sums, wh, wh, now))

    def commit(self) -> None:
        """Write them in one transaction."""
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        run.executemany(statements.PUT_REVISION, self._revisions)
        run.executemany(statements.PUT_ITEM, self._items)
        run.executemany(_ADD_TOTAL, self._totals)
        run.executemany(_ADD_CELL, self._cells)
        run.execute("COMMIT")
        for rows in (self._revisions, self._items, self._totals, self._cells):
            rows.clear()


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection with what the ledger sets, too."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()
    return connection


def consume(rig: Rig, count: int, *, sums: bool) -> float:
    """Take so many messages; return the seconds from connecting to the last commit.

    One thread does it all: with paho's own thread beside it, both wait for each other.
    """
    connection = opened(rig.ledger)
    rows = Rows(connection, sums=sums)
    batch: list[mqtt.MQTTMessage] = []
    client = _client(rig)
    client.on_message = lambda _client, _data, message: batch.append(message)
    begin = time.perf_counter()
    client.connect(rig.host, rig.port, clean_start=False, properties=session())
    done = 0
    while done < count:
        end = time.perf_counter() + WAIT
        while len(batch) < BATCH and (left := end - time.perf_counter()) > 0:
            client.loop(left)
        now = int(time.time())
        for message in batch:
            rows.add(message.payload, now)
        rows.commit()
        for message in batch:
            client.ack(message.mid, message.qos)
        done += len(batch)
        batch.clear()
    seconds = time.perf_counter() - begin
    client.disconnect()
    client.loop(WAIT)
    connection.close()
    return seconds


def subscribe(rig: Rig) -> None:
    """Make an empty session for the hub: what is sent from now on waits for it."""
    subscribed = threading.Event()
    client = _client(rig)

    def connected(*_: object) -> None:
        client.subscribe(to_hub(rig.community), qos=1)

    client.on_connect = connected
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(rig.host, rig.port, clean_start=True, properties=session())
    client.loop_start()
    if not subscribed.wait(20):
        raise TimeoutError("the broker did not answer the hub's subscription")
    client.disconnect()
    client.loop_stop()


def session() -> Properties:
    """Return what the hub says of its session when it connects."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = EXPIRY
    properties.ReceiveMaximum = INFLIGHT
    return properties


def _client(rig: Rig) -> mqtt.Client:
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id="hub", protocol=mqtt.MQTTv5, manual_ack=True
    )
    client.tls_set_context(rig.context("hub"))
    return client
