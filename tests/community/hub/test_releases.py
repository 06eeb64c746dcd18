"""What was given away, packed on the disk: everything comes back, and nobody's name stays."""

import zlib

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind
from custom_components.carbon_meter.community.hub.packing import Bucket, packed, unpacked
from custom_components.carbon_meter.community.hub.releases import (
    MOST_HOMES,
    Counter,
    Release,
    Releases,
)
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import CellKey, Scope
from custom_components.carbon_meter.community.ledger.database import LedgerError
from custom_components.carbon_meter.community.privacy.given import Given
from custom_components.carbon_meter.community.privacy.sums import ClassSums, Content

SERIES = (Flow.PV, Kind.AVERAGE)
KEYS = st.lists(st.integers(0, (1 << 63) - 1), max_size=20, unique=True).map(
    lambda found: np.array(sorted(found), dtype=np.int64)
)


def sums(**changes) -> ClassSums:
    values = {
        "homes": 20,
        "parts": 20,
        "periods": 20,
        "seconds": 72000,
        "covered": 1,
        "wh": 5,
        "highest": 3,
        "mg": None,
        "carbon_free": -1,
        "estimated": None,
    }
    return ClassSums(**(values | changes))


@pytest.fixture
def releases(tmp_path):
    opened = Releases(tmp_path / "releases.db", community="village")
    yield opened
    opened.close()


def release(**changes) -> Release:
    key = CellKey(
        grain=Grain.HOUR, begin=3600, scope=Scope.FEEDER, name="north", flow=Flow.PV, kind=SERIES[1]
    )
    return Release(**({"key": key, "homes": 20, "expected": 30, "told": 9} | changes))


@given(KEYS, KEYS, KEYS, KEYS, KEYS, st.data())
def test_packing_loses_nothing(key, waiting, taken, tried, barred, data) -> None:
    labels = data.draw(st.lists(st.integers(1, 1 << 31), min_size=len(key), max_size=len(key)))
    bucket = Bucket(
        given=Given(
            key=key,
            label=np.array(labels, dtype=np.int64),
            classes={1: sums(), 7: sums(mg=-5, is_exact=False)},
            holds={("community", "village"): (1, 7), ("group", "a b"): (7,)},
        ),
        waiting=waiting,
        taken=taken,
        tried=tried,
        barred=barred,
    )
    again = unpacked(packed(bucket))
    assert again.given.key.tolist() == key.tolist()
    assert again.given.label.tolist() == labels
    assert (again.given.classes, again.given.holds) == (bucket.given.classes, bucket.given.holds)
    assert again.waiting.tolist() == waiting.tolist()
    assert again.taken.tolist() == taken.tolist()
    assert again.tried.tolist() == tried.tolist()
    assert again.barred.tolist() == barred.tolist()


@given(KEYS)
def test_what_was_packed_with_short_numbers_is_read(key) -> None:
    """Numbers of classes had 16 bits, and nothing was barred."""
    labels = np.arange(65535 - len(key), 65535)
    new = packed(Bucket(given=Given(key=key, label=labels, classes={1: sums()}), tried=key))
    rest, pieces = zlib.decompress(new), []
    while rest:
        length = int.from_bytes(rest[:4], "little")
        pieces.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    del pieces[-3:]
    pieces[4] = labels.astype("<u2").tobytes()
    old = zlib.compress(b"".join(len(each).to_bytes(4, "little") + each for each in pieces))
    again = unpacked(old)
    assert again.given.key.tolist() == again.tried.tolist() == key.tolist()
    assert again.given.label.tolist() == labels.tolist()
    assert not len(again.barred)


def test_ten_thousand_homes_take_little() -> None:
    """One home in a hundred has told nothing."""
    chance = np.random.default_rng(1)
    homes = np.flatnonzero(chance.random(10_000) > 0.01).astype(np.int64)
    given = Given(key=homes << 42, label=np.ones(len(homes), dtype=np.int64), classes={1: sums()})
    assert len(packed(Bucket(given=given))) < 1200


def test_numbers_stay_and_are_given_once(releases: Releases) -> None:
    assert releases.numbers(["b", "a"]).tolist() == [2, 1]
    assert releases.numbers(["a", "c", "b"]).tolist() == [1, 3, 2]
    releases.forget(["c"])
    releases.forget([])
    assert releases.names() == {1: "a", 2: "b"}
    assert releases.numbers(["c"]).tolist() == [4]


def test_there_is_a_number_for_everybody_or_an_error(releases: Releases) -> None:
    with pytest.raises(LedgerError, match="homes"):
        releases.numbers([str(number) for number in range(MOST_HOMES)])


def test_a_release_that_says_the_same_is_no_other(releases: Releases) -> None:
    def put(**changes) -> tuple[bool, int, int]:
        with releases.changing() as change:
            is_new = change.put_cell(release(**changes))
        [found] = releases.cells(Grain.HOUR, 0, 7200, Scope.FEEDER, "north")
        return is_new, found.revision, found.told

    assert put() == (True, 0, 9)
    assert put() == (False, 0, 9)
    assert put(told=10) == (True, 0, 10)
    assert put(content=Content(wh=1, mg=None), quantiles={0.5: 10.0}) == (True, 1, 9)
    assert put(content=Content(wh=1, mg=None), quantiles={0.5: 10.0}) == (False, 1, 9)
    assert put(reason="few") == (True, 2, 9)
    assert releases.scopes() == [(Scope.FEEDER, "north")]


def test_a_bucket_counts_its_changes(releases: Releases) -> None:
    where = (*SERIES, Grain.DAY, 0)

    def version(bucket: Bucket, **changes) -> int:
        with releases.changing() as change:
            change.put_bucket(where, bucket, seen=1, now=2, **changes)
        return releases.marks(Grain.DAY, 0)[0, *SERIES].version

    full = Bucket(waiting=np.array([5], dtype=np.int64))
    assert releases.bucket(SERIES, Grain.DAY, 0) is None
    assert [version(Bucket()), version(Bucket()), version(full)] == [0, 0, 1]
    assert [version(full, has_changed=True), version(full)] == [2, 2]


def test_a_transaction_that_fails_leaves_nothing(releases: Releases) -> None:
    def broken() -> None:
        with releases.changing() as change:
            change.put_cell(release())
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        broken()
    assert releases.cells(Grain.HOUR, 0, 7200, Scope.FEEDER, "north") == []


def test_what_is_fenced_stays_so(releases: Releases) -> None:
    releases.fence(86400)
    releases.forget_before(2 * 86400)
    assert releases.count(Counter.FENCE) == 86400
    with releases.changing() as change:
        change.put_bucket((*SERIES, Grain.HOUR, 0), Bucket(), seen=1, now=1)
    releases.forget_before(2 * 86400)
    releases.fence(86400)
    assert releases.count(Counter.FENCE) == 2 * 86400


def test_a_count_is_no_number_of_a_home(releases: Releases) -> None:
    releases.keep(Counter.CLOCK, 1 << 31)
    assert releases.numbers(["a", "b"]).tolist() == [1, 2]
    assert releases.count(Counter.HOMES) == 2


def test_another_community_or_program_is_refused(tmp_path) -> None:
    Releases(tmp_path / "releases.db", community="village").close()
    (tmp_path / "noise.db").write_bytes(b"noise" * 999)
    for name in ("releases.db", "noise.db", "no/such/folder.db"):
        with pytest.raises(LedgerError):
            Releases(tmp_path / name, community="other")
