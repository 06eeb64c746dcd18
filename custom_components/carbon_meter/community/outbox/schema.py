"""The tables of the outbox: what is held, under which numbers it went out, what was given up."""

from typing import Final

APPLICATION: Final = 0x434D4F42
"""In the header of the file: CMOB."""

VERSION: Final = 1

TABLES: Final = """
CREATE TABLE sender (
    id INTEGER PRIMARY KEY,
    community TEXT NOT NULL,
    home TEXT NOT NULL,
    UNIQUE (community, home)
) STRICT;

CREATE TABLE footprint (
    sender INTEGER NOT NULL REFERENCES sender (id),
    start INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    digest BLOB NOT NULL,
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER,
    due INTEGER,
    PRIMARY KEY (sender, start, duration)
) STRICT, WITHOUT ROWID;

CREATE INDEX held ON footprint (start, duration, sender, state) WHERE state < 3;
CREATE INDEX empty ON footprint (start, duration, sender) WHERE state >= 3;

CREATE TABLE content (
    sender INTEGER NOT NULL,
    start INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (sender, start, duration)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    sender INTEGER NOT NULL REFERENCES sender (id),
    boot TEXT NOT NULL UNIQUE,
    last INTEGER NOT NULL DEFAULT 0,
    highest INTEGER NOT NULL DEFAULT 0,
    digest BLOB
) STRICT;

CREATE TABLE sending (
    run INTEGER NOT NULL REFERENCES run (id),
    seq INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    start INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    digest BLOB NOT NULL,
    is_out INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX carried ON sending (sender, start, duration);

CREATE TABLE horizon (
    sender INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    start INTEGER NOT NULL,
    PRIMARY KEY (sender, duration)
) STRICT, WITHOUT ROWID;

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
"""`footprint` has the newest revision of each period; `content` what it says, while it may be sent
again (states below 3): apart, so that its pages are given back. `sending` has the last number under
which a footprint was handed out, `run` the highest acknowledged number with its digest, `horizon`
the latest start of which even the revision was forgotten."""
