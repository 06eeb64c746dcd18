"""Old ids and new ones: nothing that is kept tells which follows which.

The attacks are those of somebody who has all files of the hub, and looks at what stands where,
at every value, at every order; what they find must be no better than guessing.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
import random
import sqlite3

from cryptography import x509
import pytest

from custom_components.carbon_meter.community.authority import keys
from custom_components.carbon_meter.community.authority.certificates import DAY
from custom_components.carbon_meter.community.contract.certificates import Wanted
from custom_components.carbon_meter.community.hub.registry import Home, Registry, State
from tests.community.hub.street import Street, moment

HOMES = 24

dice = random.SystemRandom()

CHANCE = 9
"""Right guesses of an order: by chance there is one; nine happen once in a million times."""

DECEMBER = moment(2026, 12, 1)

type Attack = Callable[[Path, list[str]], list[str]]
"""Puts ids in an order by what it finds in the files."""


@pytest.fixture(
    scope="module",
    params=["before the month", "after an expulsion", "after the batch", "in December"],
)
def rotated(request, tmp_path_factory) -> Iterator[tuple[Street, list[tuple[str, str]]]]:
    """Return a street, and which id follows which: known to the homes alone."""
    street = Street(tmp_path_factory.mktemp("street"), now=moment(2026, 11, 2))
    homes = []
    for _ in range(HOMES):
        street.now += dice.randint(60, 3600)
        homes.append(street.join(feeder="north", groups=["pv"])[0])
    dice.shuffle(homes)
    links, held = [], {}
    for home in homes:
        street.now += dice.randint(60, 80_000)
        held[home] = keys.new_key()
        links.append((home, street.issued(home, held[home], Wanted.ROTATE).subject))
        street.desk.turn(street.now)
    if request.param == "after an expulsion":
        outcast, _ = street.join(feeder="north", groups=["pv"])
        street.now += DAY
        street.issued(outcast, keys.new_key(), Wanted.ROTATE)
        street.desk.expel(outcast, street.now)
        for home in dice.sample(homes, HOMES):
            street.now += dice.randint(60, 600)
            street.issued(home, held[home], Wanted.ROTATE)
    if request.param != "before the month":
        street.now = DECEMBER - DAY / 2
        street.desk.turn(street.now)
    if request.param == "in December":
        for home in dice.sample([new for _, new in links], HOMES):
            street.now += dice.randint(60, 3600)
            street.desk.consented(home, street.now)
    yield street, links
    street.close()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def by_place(name: str, *, last: bool) -> Attack:
    """Order ids by where they stand in the bytes of a file, first or last."""

    def attack(folder: Path, ids: list[str]) -> list[str]:
        content = b"".join(path.read_bytes() for path in files(folder) if path.name == name)
        find = content.rfind if last else content.find
        return sorted(ids, key=lambda name: find(name.encode()))

    return attack


def by_rows(name: str, table: str, column: str) -> Attack:
    """Order ids by where their rows come when a table is read as it stands."""

    def attack(folder: Path, ids: list[str]) -> list[str]:
        path = next(path for path in files(folder) if path.name == name)
        database = sqlite3.connect(path)
        try:
            rows = database.execute(f"SELECT {column}, * FROM {table}").fetchall()  # noqa: S608
        finally:
            database.close()
        order = {str(row[0]): place for place, row in enumerate(rows)}
        return sorted(ids, key=lambda name: order.get(name, -1))

    return attack


def by_certificate(value: Callable[[x509.Certificate], object]) -> Attack:
    """Order ids by something in their certificates."""

    def attack(folder: Path, ids: list[str]) -> list[str]:
        database = sqlite3.connect(folder / "desk.db")
        try:
            pems = dict(database.execute("SELECT home, pem FROM certificate").fetchall())
        finally:
            database.close()
        return sorted(ids, key=lambda name: value(keys.certificate_in(pems[name])))

    return attack


ATTACKS: dict[str, Attack] = {
    "names": lambda _, ids: sorted(ids),
    "rows of homes": by_rows("desk.db", "home", "id"),
    "rows of certificates": by_rows("desk.db", "certificate", "home"),
    "rows of issued": by_rows("issued.db", "issued", "subject"),
    "rows of the ledger": by_rows("ledger.db", "homes", "home"),
    "serial numbers": by_certificate(lambda one: one.serial_number),
    "begins": by_certificate(lambda one: one.not_valid_before_utc),
    "ends": by_certificate(lambda one: one.not_valid_after_utc),
    "keys": by_certificate(lambda one: keys.fingerprint(one.public_key())),
    **{
        f"{'last' if last else 'first'} place in {name}": by_place(name, last=last)
        for name in ("desk.db", "desk.db-wal", "issued.db", "ledger.db", "ledger.db-wal")
        for last in (False, True)
    },
}


@pytest.mark.clause("CM-45")
def test_no_order_in_any_file_links_old_and_new(rotated) -> None:
    street, links = rotated
    truth = dict(links)
    old, new = sorted(truth), sorted(truth.values())
    for one_name, one in ATTACKS.items():
        for other_name, other in ATTACKS.items():
            guess = zip(one(street.folder, old), other(street.folder, new), strict=True)
            hits = sum(truth[home] == after for home, after in guess)
            assert hits < CHANCE, (one_name, other_name)
            guess = zip(one(street.folder, old)[::-1], other(street.folder, new), strict=True)
            hits = sum(truth[home] == after for home, after in guess)
            assert hits < CHANCE, (one_name, other_name, "backwards")


@pytest.mark.clause("CM-45")
def test_no_neighbours_in_any_file_are_old_and_new(rotated) -> None:
    street, links = rotated
    truth = dict(links)
    for path in files(street.folder):
        content = path.read_bytes()
        for find in (content.find, content.rfind):
            places = {after: find(after.encode()) for after in truth.values()}
            hits = 0
            for home, after in truth.items():
                place = find(home.encode())
                if place >= 0 and places[after] >= 0:
                    nearest = min(places, key=lambda name: abs(places[name] - place))
                    hits += nearest == after
            assert hits < CHANCE, path


@pytest.mark.clause("CM-45")
def test_no_value_is_shared_by_old_and_new_alone(rotated) -> None:
    street, links = rotated
    values: dict[str, set[object]] = {}
    for path in files(street.folder):
        if path.suffix != ".db":
            continue
        database = sqlite3.connect(path)
        try:
            tables = database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
            for (table,) in tables:
                for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608
                    for name in {value for link in links for value in link} & set(row):
                        values.setdefault(name, set()).update(row)
        finally:
            database.close()
    everybody = {value for link in links for value in link}
    assert set(values) == everybody
    shared = [values[old] & values[new] for old, new in links]
    others = [values[old] & values[links[place - 1][1]] for place, (old, _) in enumerate(links)]
    assert shared == others


@pytest.mark.clause("CM-45")
def test_many_ids_change_in_parts_by_their_order(tmp_path: Path) -> None:
    street = Street(tmp_path, now=moment(2026, 11, 2))
    old = sorted(f"h{dice.randbytes(6).hex()}" for _ in range(250))
    new = sorted(f"h{dice.randbytes(6).hex()}" for _ in range(250))
    december = date(2026, 12, 1)
    for home in dice.sample(old, len(old)):
        street.desk._registry.put(Home(id=home, state=State.ENROLLED, leaves=december))
    for home in dice.sample(new, len(new)):
        street.desk._registry.put(Home(id=home, state=State.NEXT, since=december))
    street.desk.turn(street.now)
    street.doors.homes.clear()

    street.now = DECEMBER
    for count in (100, 200, 250, 250):
        street.desk.turn(street.now)
        assert [home for home in street.doors.homes if home in new] == new[:count]
        left = [home.id for home in street.desk._registry.homes(State.LEFT)]
        assert left == old[:count]
    street.close()


@pytest.mark.clause("CM-45")
def test_the_log_that_holds_both_is_emptied(tmp_path: Path) -> None:
    street = Street(tmp_path, now=moment(2026, 11, 2))
    home, _ = street.join()
    street.now += DAY
    street.issued(home, keys.new_key(), Wanted.ROTATE)
    assert (tmp_path / "desk.db-wal").stat().st_size == 0
    street.close()


@pytest.mark.clause("CM-45")
def test_the_row_of_a_home_that_changes_stays_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    registry = Registry(path, {})
    names = [f"h{dice.randbytes(6).hex()}" for _ in range(200)]
    for name in names:
        registry.put(Home(id=name, state=State.ENROLLED, since=date(2026, 11, 2)))

    def places() -> list[int]:
        registry.leave_no_trace()
        content = path.read_bytes()
        assert all(content.count(name.encode()) == 1 for name in names)
        return [content.find(name.encode()) for name in names]

    before = places()
    for name in dice.sample(names, len(names)):
        home = registry.home(name)
        assert home is not None
        registry.put(replace(home, leaves=date(2026, 12, 1)))
    assert places() == before
    assert {home.leaves for home in registry.homes()} == {date(2026, 12, 1)}
    registry.close()
