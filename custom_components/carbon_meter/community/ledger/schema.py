"""The tables of the ledger: one text for SQLite, DuckDB and PostgreSQL.

Every amount is a BIGINT: Wh, mgCO2eq, seconds, or seconds times parts of 10000. Times are seconds
since 1970 UTC. A yes or no is 1 or 0.
"""

from typing import Final

VERSION: Final = 4
"""Of the tables; a file of a later one is not opened."""

SUMS: Final = (
    "periods",
    "wh",
    "mg",
    "carbon_free",
    "known",
    "measured",
    "estimated",
    "covered",
    "seconds",
    "unsynced",
)
"""What is added up, in the order of the columns; `figures.md` says what each is."""

_SUMS: Final = ",\n  ".join(f"{name} BIGINT NOT NULL" for name in SUMS)

_TOTALS: Final = f"""(
  community TEXT NOT NULL,
  grain TEXT NOT NULL,
  begin_at BIGINT NOT NULL,
  home TEXT NOT NULL,
  place BIGINT NOT NULL,
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  {_SUMS},
  PRIMARY KEY (community, grain, begin_at, home, place, flow, kind)
)"""

_CELLS: Final = f"""(
  community TEXT NOT NULL,
  grain TEXT NOT NULL,
  begin_at BIGINT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  homes BIGINT NOT NULL,
  {_SUMS},
  lowest BIGINT NOT NULL,
  highest BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (community, grain, scope, name, begin_at, flow, kind)
)"""

TABLES: Final = (
    # Whose ledger this is, and by which clock its days are.
    """CREATE TABLE IF NOT EXISTS identity (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
)""",
    # The days of the community's own calendar, with the month and the year they belong to.
    """CREATE TABLE IF NOT EXISTS days (
  day_at BIGINT NOT NULL PRIMARY KEY,
  month_at BIGINT NOT NULL,
  year_at BIGINT NOT NULL
)""",
    # From first_day to before last_day a home is in one place: one feeder, some groups.
    """CREATE TABLE IF NOT EXISTS homes (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  first_day BIGINT NOT NULL,
  last_day BIGINT NOT NULL,
  place BIGINT NOT NULL,
  PRIMARY KEY (community, home, first_day)
)""",
    """CREATE TABLE IF NOT EXISTS places (
  community TEXT NOT NULL,
  place BIGINT NOT NULL,
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (community, place, scope, name)
)""",
    # Which period lengths a home has ever used: only with several can periods overlap.
    """CREATE TABLE IF NOT EXISTS lengths (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  duration BIGINT NOT NULL,
  PRIMARY KEY (community, home, duration)
)""",
    """CREATE TABLE IF NOT EXISTS factors (
  factor BIGINT NOT NULL PRIMARY KEY,
  source TEXT NOT NULL,
  zone TEXT NOT NULL,
  kind TEXT NOT NULL,
  version TEXT NOT NULL,
  resolution BIGINT NOT NULL
)""",
    # Which home has named which intensity: what it alone has named goes with it.
    """CREATE TABLE IF NOT EXISTS used_factors (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  factor BIGINT NOT NULL,
  PRIMARY KEY (community, home, factor)
)""",
    # Append only, but for a home that withdraws.
    """CREATE TABLE IF NOT EXISTS revisions (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  duration BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  digest TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  produced_ms BIGINT NOT NULL,
  method TEXT NOT NULL,
  software TEXT NOT NULL,
  level TEXT NOT NULL,
  final BIGINT NOT NULL,
  PRIMARY KEY (community, home, start_at, duration, revision)
)""",
    """CREATE TABLE IF NOT EXISTS quarantine (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  duration BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  digest TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (community, home, start_at, duration, revision)
)""",
    # What holds now. hour_at is -1 for a period of a day, place 0 outside any membership.
    """CREATE TABLE IF NOT EXISTS items (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  duration BIGINT NOT NULL,
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  revision BIGINT NOT NULL,
  hour_at BIGINT NOT NULL,
  day_at BIGINT NOT NULL,
  place BIGINT NOT NULL,
  counted BIGINT NOT NULL,
  quality BIGINT NOT NULL,
  wh BIGINT NOT NULL,
  mg BIGINT NOT NULL,
  carbon_free BIGINT NOT NULL,
  known BIGINT NOT NULL,
  coverage BIGINT NOT NULL,
  unsynced BIGINT NOT NULL,
  factor BIGINT NOT NULL,
  PRIMARY KEY (community, home, start_at, duration, flow)
)""",
    # What items were before they were corrected: what was published of them may not be subtracted.
    """CREATE TABLE IF NOT EXISTS former (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  start_at BIGINT NOT NULL,
  duration BIGINT NOT NULL,
  flow TEXT NOT NULL,
  revision BIGINT NOT NULL,
  wh BIGINT NOT NULL,
  PRIMARY KEY (community, home, start_at, duration, flow, revision)
)""",
    # Periods whose items are not in totals and cells yet: they are booked when there is time.
    """CREATE TABLE IF NOT EXISTS unbooked (
  community TEXT NOT NULL,
  home TEXT NOT NULL,
  day_at BIGINT NOT NULL,
  start_at BIGINT NOT NULL,
  duration BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (community, home, day_at, start_at, duration)
)""",
    # How often something was published: a file of releases that knows of less is an old one.
    """CREATE TABLE IF NOT EXISTS published (
  community TEXT NOT NULL PRIMARY KEY,
  times BIGINT NOT NULL
)""",
    f"CREATE TABLE IF NOT EXISTS totals {_TOTALS}",
    f"CREATE TABLE IF NOT EXISTS cells {_CELLS}",
    # Where a full recomputation is made before it is compared.
    f"CREATE TABLE IF NOT EXISTS fresh_totals {_TOTALS}",
    f"""CREATE TABLE IF NOT EXISTS fresh_hours (
  community TEXT NOT NULL,
  place BIGINT NOT NULL,
  begin_at BIGINT NOT NULL,
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  homes BIGINT NOT NULL,
  {_SUMS},
  lowest BIGINT NOT NULL,
  highest BIGINT NOT NULL,
  PRIMARY KEY (community, place, begin_at, flow, kind)
)""",
    f"CREATE TABLE IF NOT EXISTS fresh_cells {_CELLS}",
)

OUTDATED: Final = ("DROP TABLE IF EXISTS former", "DROP TABLE IF EXISTS fresh_series")
"""What a file of an earlier version has with other columns, or for nothing.

What items were before is then not known any more: publishing takes the worst for granted.
"""

INDEXES: Final = (
    """CREATE INDEX IF NOT EXISTS factors_by_text
ON factors (source, zone, kind, version, resolution)""",
    "CREATE INDEX IF NOT EXISTS homes_by_factor ON used_factors (factor)",
)

KNOWN_BEFORE: Final = (
    """INSERT INTO used_factors (community, home, factor)
SELECT community, home, factor FROM items GROUP BY community, home, factor
ON CONFLICT (community, home, factor) DO NOTHING""",
)
"""What a file of an earlier version has in other tables."""
