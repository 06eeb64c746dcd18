"""However footprints come, the cells are those of a full recomputation and of plain counting."""

from datetime import date, timedelta
from pathlib import Path
import sqlite3
import tempfile

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Kind, Quality
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, Model, footprint, item

# Two days around the end of a month, and the hour that clocks have twice.
STARTS = [
    int(date(2026, 10, 24).toordinal() - date(1970, 1, 1).toordinal()) * 86400 + offset * HOUR
    for offset in (20, 21, 22, 23, 24, 25, 26, 46, 47, 48, 168, 190, 191, 192)
]
HOMES = st.sampled_from(["a", "b", "c", "d"])
DAYS = st.integers(0, 9).map(lambda offset: date(2026, 10, 24) + timedelta(days=offset))
FEEDERS = st.sampled_from([None, "north", "south"])
GROUPS = st.frozensets(st.sampled_from(["school", "pumps"]))


@st.composite
def said(draw):
    """Return a footprint; one revision of one period has always the same content."""
    home, start = draw(HOMES), draw(st.sampled_from(STARTS))
    duration = draw(st.sampled_from([900, 3600, 3600, 3600, 86400]))
    start -= start % duration
    revision = draw(st.integers(0, 3))
    seed = hash((ord(home), start, duration, revision))
    flows = [Flow.GRID_IMPORT, Flow.PV, Flow.GRID_EXPORT][: 1 + seed % 3]
    return footprint(
        home,
        start,
        *(
            item(
                flow,
                seed // 7 % 5 * 100,
                quality=list(Quality)[seed // 11 % 4],
                kind=list(Kind)[seed // 13 % 2],
                coverage=seed // 17 % 10001,
            )
            for flow in flows
        ),
        duration=duration,
        revision=revision,
        synced=bool(seed // 19 % 2),
    )


class Village(RuleBasedStateMachine):
    """Messages twice, late, out of order and revised; homes that move and withdraw; crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.ledger = Ledger(self.path, community=COMMUNITY, zone=BERLIN)
        self.model = Model(zone=BERLIN)
        self.now = STARTS[0]

    @rule(batch=st.lists(said(), min_size=1, max_size=8))
    def take(self, batch) -> None:
        self.now += 60
        self.ledger.take(batch, self.now)
        for each in batch:
            self.model.take(each)

    @rule(home=HOMES, day=DAYS, feeder=FEEDERS, groups=GROUPS)
    def assign(self, home, day, feeder, groups) -> None:
        self.ledger.assign(home, day, feeder=feeder, groups=groups)
        self.model.move(home, day, (feeder, groups))

    @precondition(lambda self: self.ledger.homes)
    @rule(home=HOMES, day=DAYS)
    def leave(self, home, day) -> None:
        self.ledger.leave(home, day)
        self.model.move(home, day, None)

    @rule(home=HOMES)
    def withdraw(self, home) -> None:
        self.ledger.withdraw(home)
        self.model.withdraw(home)

    @rule(batch=st.lists(said(), min_size=1, max_size=4))
    def crash_before_the_end(self, batch) -> None:
        """Lose a transaction half way: nothing of it may be left, in the file or in memory."""

        def broken():
            yield from batch
            raise RuntimeError("power cut")

        with pytest.raises(RuntimeError):
            self.ledger.take(broken(), self.now)

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = Ledger(self.path, community=COMMUNITY, zone=BERLIN)

    @rule()
    def recompute(self) -> None:
        assert self.ledger.recompute() == 0

    @rule()
    def counts_as_anybody_would(self) -> None:
        self.ledger.settle()
        with sqlite3.connect(self.path) as reader:
            rows = reader.execute(
                "SELECT grain, begin_at, scope, name, flow, kind, homes, wh, mg, measured,"
                " estimated, lowest, highest FROM cells WHERE homes > 0"
            ).fetchall()
        reader.close()
        assert {row[:6]: row[6:] for row in rows} == self.model.cells()

    def teardown(self) -> None:
        self.counts_as_anybody_would()
        assert self.ledger.recompute() == 0
        self.ledger.close()
        self.folder.cleanup()


TestVillage = Village.TestCase
TestVillage.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
