"""Publishing: a schedule, and no way to find fewer than k homes in all that was ever shown."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
import random
import tempfile
from zoneinfo import ZoneInfo

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Level, Quality
from custom_components.carbon_meter.community.hub.publishing import Publisher
from custom_components.carbon_meter.community.hub.releases import Releases
from custom_components.carbon_meter.community.ledger.calendar import Grain
from custom_components.carbon_meter.community.ledger.cells import Scope, State
from custom_components.carbon_meter.community.ledger.ledger import Ledger
from custom_components.carbon_meter.community.privacy.publish import Reason
from custom_components.carbon_meter.community.privacy.rules import PILOT, PUBLIC, STANDARD, Rules
from tests.community.hub.attack import Attacker, Part
from tests.community.ledger.village import BERLIN, COMMUNITY, HOUR, footprint, imported, item

DAY = date(2026, 6, 20)
FEW = Rules(k=3, dominance=0.6, clear_only=True)
"""Small numbers, so that few homes already make a difference."""


class Hub:
    """A ledger with what it publishes, by its own clock."""

    def __init__(
        self, folder: Path, rules: Rules = STANDARD, *, zone: ZoneInfo | None = None, **options
    ) -> None:
        self.folder, self.rules, self.options = folder, rules, options
        self.zone = zone or BERLIN
        self.open()
        self.begin = self.ledger.calendar.begin(DAY)
        self.now = self.begin

    def open(self) -> None:
        self.ledger = Ledger(self.folder / "ledger.db", community=COMMUNITY, zone=self.zone)
        self.releases = Releases(self.folder / "releases.db", community=COMMUNITY)
        self.publisher = Publisher(self.ledger, self.releases, self.rules, **self.options)
        for file in (self.ledger, self.releases):
            # Nobody cuts the power here, and hundreds of releases wait for the disk.
            with file._database.reading() as connection:
                connection.execute("PRAGMA synchronous = OFF")

    def close(self) -> None:
        self.ledger.close()
        self.releases.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def settle(self, homes: int, *, feeder=lambda home: None) -> None:
        for home in range(homes):
            self.ledger.assign(f"home-{home}", DAY, feeder=feeder(home))

    def tell(self, homes, hours=range(24), wh=lambda home, hour: 100 + home, **changes) -> None:
        said = [
            imported(f"home-{home}", self.begin + hour * HOUR, wh(home, hour), **changes)
            for home in homes
            for hour in hours
        ]
        self.ledger.take(said, self.now)

    def publish(self, *, days: float):
        self.now = self.begin + int(days * 86400)
        return self.publisher.publish(self.now)

    def cell(self, grain: Grain = Grain.DAY, hour: int = 0, feeder: str | None = None):
        begin = self.begin + hour * HOUR
        if grain is Grain.MONTH:
            begin = self.ledger.calendar.month(self.begin)
        if grain is Grain.YEAR:
            begin = self.ledger.calendar.year(self.begin)
        scope = Scope.COMMUNITY if feeder is None else Scope.FEEDER
        found = self.publisher.cells(grain, begin, begin + 1, scope=scope, name=feeder)
        return found[0] if found else None


@pytest.fixture
def hub(tmp_path: Path):
    opened = Hub(tmp_path)
    yield opened
    opened.close()


def test_nothing_is_shown_while_it_is_open(hub: Hub) -> None:
    hub.settle(20)
    hub.tell(range(20))
    assert hub.publish(days=2.9 / 24) == []
    assert {key.begin for key in hub.publish(days=3.1 / 24)} == {hub.begin}
    assert hub.cell(Grain.HOUR).wh == sum(range(100, 120))
    assert hub.cell(Grain.DAY) is None
    hub.publish(days=1.2)
    assert hub.cell(Grain.DAY).wh == 24 * sum(range(100, 120))


def test_asking_decides_nothing(hub: Hub) -> None:
    hub.settle(20)
    hub.tell(range(20))
    for grain in Grain:
        assert hub.publisher.cells(grain, 0, 1 << 40) == []
    hub.publish(days=1.2)
    once = hub.publisher.cells(Grain.HOUR, 0, 1 << 40)
    hub.tell(range(20), revision=1, wh=lambda home, hour: 7)
    assert hub.publisher.cells(Grain.HOUR, 0, 1 << 40) == once
    assert hub.publish(days=1.3) == []


def test_homes_that_are_just_telling_are_waited_for(hub: Hub) -> None:
    """Thirty homes tell their past one after the other: after 20 it is too early."""
    hub.settle(30)
    hub.now = hub.begin + 3 * 86400
    hub.tell(range(20))
    assert hub.publisher.publish(hub.now) == []
    hub.now += 240
    hub.tell(range(20, 25))
    assert hub.publisher.publish(hub.now + 60) == []
    hub.tell(range(25, 30))
    hub.publisher.publish(hub.now + 61)
    assert (hub.cell().homes, hub.cell(Grain.HOUR).homes) == (30, 30)


@pytest.mark.parametrize(("later", "is_shown"), [(299, False), (300, True)])
def test_a_few_are_not_waited_for_long(hub: Hub, later: int, is_shown: bool) -> None:
    hub.settle(30)
    hub.now = hub.begin + 3 * 86400
    hub.tell(range(20))
    hub.publisher.publish(hub.now + later)
    assert (hub.cell() is not None) == is_shown


def test_patience_ends(hub: Hub) -> None:
    """A home every 290 seconds, and 60 that never tell."""
    hub.settle(120)
    hub.now = hub.begin + 3 * 86400
    for home in range(51):
        assert hub.cell(Grain.HOUR) is None
        hub.tell([home], hours=[0])
        hub.now += 290
        hub.publisher.publish(hub.now)
    assert hub.cell(Grain.HOUR).homes == 51


def test_a_late_home_waits_for_others(hub: Hub) -> None:
    """Its hour less what was shown of it would be that home."""
    hub.settle(40)
    hub.tell(range(39))
    hub.tell([39], hours=[hour for hour in range(24) if hour != 12])
    hub.publish(days=1.2)
    hub.tell([39], hours=[12])
    hub.publish(days=3)
    noon, day = hub.cell(Grain.HOUR, 12), hub.cell()
    assert (noon.homes, noon.told, noon.revision) == (39, 97, 0)
    assert day.wh == 24 * sum(range(100, 140)) - 139
    assert (day.told, day.homes) == (99, 40)


def test_enough_late_homes_are_added(hub: Hub) -> None:
    hub.settle(40)
    hub.tell(range(25), hours=[0])
    hub.publish(days=1.2)
    assert hub.cell(Grain.HOUR).homes == 25
    hub.tell(range(25, 40), hours=[0])
    hub.publish(days=3)
    assert (hub.cell(Grain.HOUR).homes, hub.cell(Grain.HOUR).revision) == (40, 1)
    assert hub.cell().wh == sum(range(100, 140))


def test_late_homes_of_several_hours_make_a_day_whole(hub: Hub) -> None:
    """One home is late in each hour, so no hour can show it; the day has 20 of them."""
    hub.settle(40)
    for home in range(40):
        hub.tell([home], hours=[hour for hour in range(24) if hour != home])
    hub.publish(days=1.1)
    for home in range(24):
        hub.tell([home], hours=[home])
    hub.publish(days=3)
    assert all(hub.cell(Grain.HOUR, hour).homes == 39 for hour in range(24))
    assert hub.cell().wh == 24 * sum(range(100, 140))
    assert hub.cell().is_approximate
    assert hub.cell().mg == pytest.approx(hub.cell().wh * 400, rel=1e-3)


def test_days_with_few_late_homes_make_a_month_whole(hub: Hub) -> None:
    hub.settle(20)
    for day in range(10):
        for hour in range(24):
            hub.tell(range(20), hours=[24 * day + hour])
    hub.publish(days=11)
    hub.ledger.assign("home-20", DAY)
    for number in range(10):
        hub.ledger.assign(f"late-{number}", DAY)
        hub.ledger.assign(f"later-{number}", DAY)
    for number in range(10):
        start = hub.begin + number * 86400
        hub.ledger.take(
            [imported(f"{who}-{number}", start, 500) for who in ("late", "later")], hub.now
        )
    hub.publish(days=13)
    assert all(hub.cell(Grain.DAY, 24 * day).homes == 20 for day in range(10))
    before = 240 * sum(range(100, 120))
    hub.publish(days=14)
    month = hub.cell(Grain.MONTH)
    assert (month.wh, month.homes) == (before + 20 * 500, 40)
    hub.publish(days=30)
    assert hub.cell(Grain.MONTH).wh == before + 20 * 500
    hub.publish(days=200)
    assert hub.cell(Grain.YEAR).wh == before + 20 * 500


@pytest.mark.parametrize(
    ("changed", "is_taken_over"), [(1, False), (14, False), (15, True), (26, False)]
)
def test_a_correction_is_shown_when_enough_homes_have_changed(
    hub: Hub, changed: int, is_taken_over: bool
) -> None:
    """26 of 40 changed would leave 14 that have not."""
    hub.settle(40)
    hub.tell(range(40), hours=[0])
    hub.publish(days=1.2)
    before = hub.cell(Grain.HOUR)
    hub.tell(range(changed), hours=[0], wh=lambda home, hour: 90 + home, revision=1)
    hub.publish(days=3)
    now = hub.cell(Grain.HOUR)
    if is_taken_over:
        assert (now.wh, now.revision, now.is_current) == (before.wh - 10 * changed, 1, True)
    else:
        assert (now.wh, now.revision, now.is_current) == (before.wh, 0, False)
    assert hub.cell().wh == now.wh


def test_everybody_is_restated(hub: Hub) -> None:
    hub.settle(40, feeder=lambda home: "north" if home < 20 else "south")
    hub.tell(range(40))
    hub.publish(days=1.2)
    hub.tell(range(40), wh=lambda home, hour: 50, revision=1)
    hub.publish(days=3)
    assert [hub.cell(feeder=name).wh for name in (None, "north", "south")] == [48000, 24000, 24000]


def test_a_withdrawn_home_stays_hidden_and_its_name_is_gone(hub: Hub) -> None:
    hub.settle(30)
    hub.tell(range(30))
    hub.publish(days=1.2)
    before = hub.cell()
    hub.ledger.withdraw("home-7")
    hub.publisher.forget("home-7")
    hub.publish(days=3)
    now = hub.cell()
    assert (now.wh, now.revision, now.is_current) == (before.wh, 0, False)
    hub.close()
    for path in hub.folder.glob("releases.db*"):
        assert b"home-7" not in path.read_bytes()
    hub.open()


def test_a_name_that_was_not_forgotten_goes_with_the_next_publishing(hub: Hub) -> None:
    hub.settle(30)
    hub.tell(range(30))
    hub.publish(days=1.2)
    hub.ledger.withdraw("home-7")
    hub.restart()
    hub.publish(days=1.3)
    assert "home-7" not in hub.releases.names().values()


def test_when_everybody_has_left_nothing_is_shown(hub: Hub) -> None:
    hub.settle(20)
    hub.tell(range(20))
    hub.publish(days=1.2)
    for home in range(20):
        hub.ledger.withdraw(f"home-{home}")
    hub.publish(days=3)
    assert (hub.cell().suppressed, hub.cell().wh) == (Reason.FEW, None)


def test_a_home_that_leaves_and_comes_back_is_not_found(hub: Hub) -> None:
    """15 leave, 14 of them come back with another one: the two sums would differ by two homes."""
    hub.settle(40)
    hub.tell(range(39))
    hub.publish(days=1.2)
    for home in range(15):
        hub.ledger.leave(f"home-{home}", DAY)
    hub.publish(days=3)
    assert hub.cell().homes == 24
    for home in range(14):
        hub.ledger.assign(f"home-{home}", DAY)
    hub.tell([39])
    hub.publish(days=5)
    assert hub.cell().suppressed is Reason.DIFFERENCE


def test_reasons(hub: Hub) -> None:
    hub.settle(54, feeder=lambda home: "north" if home < 40 else "south")
    hub.tell(range(54), wh=lambda home, hour: 10_000 if (home, hour) == (0, 5) else 100)
    hub.publish(days=1.2)
    assert hub.cell(Grain.HOUR, 5).suppressed is Reason.DIFFERENCE
    assert hub.cell(Grain.HOUR, 6).suppressed is None
    assert hub.cell(Grain.HOUR, 6, "north").suppressed is Reason.DIFFERENCE
    assert hub.cell(Grain.HOUR, 6, "south").suppressed is Reason.FEW


def test_a_day_that_would_lack_too_much_is_not_shown(hub: Hub) -> None:
    """Four hours are dominated by one home, and nothing else of the day waits with them."""
    hub.settle(20)
    hub.tell(range(20), wh=lambda home, hour: 9000 if home == 0 and hour < 4 else 100)
    hub.publish(days=1.2)
    assert hub.cell().suppressed is Reason.DIFFERENCE


def test_days_alone_show_what_hours_would_hide(tmp_path: Path) -> None:
    hub = Hub(tmp_path, finest=Grain.DAY)
    hub.settle(20)
    hub.tell(range(20), wh=lambda home, hour: 1000 if hour == home else 100)
    hub.publish(days=1.2)
    assert hub.cell().wh == 20 * 23 * 100 + 20 * 1000
    assert hub.cell(Grain.HOUR) is None
    hub.close()


def test_hours_that_were_shown_stay_so_when_only_days_are_wanted(tmp_path: Path) -> None:
    hub = Hub(tmp_path)
    hub.settle(20)
    hub.tell(range(20))
    hub.publish(days=0.5)
    hub.options["finest"] = Grain.DAY
    hub.restart()
    hub.publish(days=1.2)
    assert hub.cell().wh == 24 * sum(range(100, 120))
    assert len(hub.publisher.cells(Grain.HOUR, 0, 1 << 40)) == 10
    hub.close()


def test_a_home_with_another_pseudonym_each_month_is_one_home_of_the_year(hub: Hub) -> None:
    """Eight ids each month, and twenty others: over two months the eight would be sixteen."""
    hub.settle(20)
    july = date(2026, 7, 1)
    for home in range(8):
        hub.ledger.assign(f"june-{home}", DAY)
        hub.ledger.leave(f"june-{home}", july)
        hub.ledger.assign(f"july-{home}", july)
    for hour in (0, 20 * 24):
        hub.tell(range(20), hours=[hour])
    hub.publish(days=40)
    hub.ledger.take([imported(f"june-{home}", hub.begin, 50) for home in range(8)], hub.now)
    later = hub.begin + 20 * 86400
    hub.ledger.take([imported(f"july-{home}", later, 50) for home in range(8)], hub.now)
    hub.publish(days=42)
    hub.publish(days=300)
    year = hub.cell(Grain.YEAR)
    assert hub.publisher.cells(Grain.YEAR, 0, 1 << 40)[0].suppressed is Reason.DIFFERENCE
    assert (year.wh, hub.cell(Grain.MONTH).suppressed) == (None, Reason.DIFFERENCE)


def test_few_homes_by_another_intensity_are_weighed_like_the_others(hub: Hub) -> None:
    hub.settle(40)
    start = hub.begin
    said = [
        footprint(
            f"home-{home}",
            start,
            item(Flow.GRID_IMPORT, 100, mg=100 * (900 if home < 3 else 400), version=f"{home < 3}"),
        )
        for home in range(40)
    ]
    hub.ledger.take(said, start)
    hub.publish(days=1.2)
    cell = hub.cell(Grain.HOUR)
    assert (cell.wh, cell.mg, cell.is_approximate) == (4000, 4000 * 400, True)


def test_enough_homes_by_another_intensity_are_exact(hub: Hub) -> None:
    hub.settle(40)
    said = [
        footprint(
            f"home-{home}",
            hub.begin,
            item(
                Flow.GRID_IMPORT,
                100,
                mg=100 * (900 if home < 20 else 400),
                version=f"{home < 20}",
                quality=Quality.ESTIMATED if home < 20 else Quality.MEASURED,
            ),
        )
        for home in range(40)
    ]
    hub.ledger.take(said, hub.begin)
    hub.publish(days=1.2)
    cell = hub.cell(Grain.HOUR)
    assert (cell.mg, cell.is_approximate, cell.estimated) == (2000 * 1300, False, 2000)


def test_few_that_estimate_are_not_told_apart(hub: Hub) -> None:
    hub.settle(40)
    said = [
        footprint(
            f"home-{home}",
            hub.begin,
            item(
                Flow.GRID_IMPORT, 100, quality=Quality.ESTIMATED if home < 3 else Quality.MEASURED
            ),
        )
        for home in range(40)
    ]
    hub.ledger.take(said, hub.begin)
    hub.publish(days=1.2)
    assert (hub.cell(Grain.HOUR).estimated, hub.cell(Grain.HOUR).wh) == (None, 4000)


def test_pilot_shows_homes_that_have_consented_and_no_others(tmp_path: Path) -> None:
    hub = Hub(tmp_path, PILOT)
    hub.settle(3, feeder=lambda home: f"feeder-{home}")
    hub.tell([0], level=Level.CLEAR)
    hub.tell([1, 2])
    hub.publish(days=1.2)
    assert hub.cell(feeder="feeder-0").wh == 2400
    assert hub.cell(feeder="feeder-1").suppressed is Reason.CONSENT
    assert hub.cell().suppressed is Reason.CONSENT
    hub.close()


def test_public_needs_a_hundred(tmp_path: Path) -> None:
    hub = Hub(tmp_path, PUBLIC)
    hub.settle(100)
    hub.tell(range(99), hours=[0])
    hub.tell(range(100), hours=[1])
    hub.publish(days=1.2)
    assert [hub.cell(Grain.HOUR, hour).suppressed for hour in (0, 1)] == [Reason.FEW, None]
    hub.close()


def test_a_home_that_tells_days_counts_in_days(hub: Hub) -> None:
    hub.settle(40)
    hub.tell(range(20))
    day = (hub.begin + 43200) // 86400 * 86400
    hub.ledger.take(
        [imported(f"home-{home}", day, 2000, duration=86400) for home in range(20, 40)], hub.now
    )
    hub.publish(days=2)
    assert hub.cell().wh == 24 * sum(range(100, 120)) + 40000
    assert hub.cell(Grain.HOUR).homes == 20


def test_publishing_can_be_interrupted_and_goes_on(hub: Hub) -> None:
    hub.settle(20)
    hub.tell(range(20), hours=range(240))
    left = iter([True, True, False])
    now = hub.begin + 11 * 86400
    hub.publisher.publish(now, go_on=lambda: next(left))
    some = len(hub.publisher.cells(Grain.DAY, 0, 1 << 40))
    hub.publisher.publish(now)
    assert (some, len(hub.publisher.cells(Grain.DAY, 0, 1 << 40))) == (2, 10)


def test_it_is_forgotten_who_was_in_what_when_it_cannot_change(hub: Hub) -> None:
    hub.settle(20)
    hub.tell(range(20))
    hub.publish(days=1.2)
    hub.publish(days=200)
    before = [hub.cell(grain) for grain in Grain]
    assert len(hub.releases.marks(Grain.HOUR, 0)) == 24
    # The clock is believed a day further with each call.
    for day in range(201, 1103):
        hub.publish(days=day)
    assert not hub.releases.marks(Grain.HOUR, 0)
    assert not hub.releases.marks(Grain.YEAR, 0)
    final = [replace(cell, state=State.FINAL) for cell in before]
    assert [hub.cell(grain) for grain in Grain] == final


# The attack


HOMES = [f"h{number}" for number in range(9)]
HOURS = [0, 1, 30]


class Attack(RuleBasedStateMachine):
    """Whatever homes do and whenever it is published, nobody is found in what was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.hub = Hub(Path(self.folder.name), FEW)
        self.hub.now = self.hub.begin + 4 * 86400
        self.attacker = Attacker()
        self.amounts: dict[Part, int] = {}
        self.revisions: dict[tuple[str, int], int] = {}
        self.chance = random.Random(1)  # noqa: S311
        for number, home in enumerate(HOMES):
            self.hub.ledger.assign(home, DAY, feeder="north" if number < 5 else "south")

    @rule(homes=st.sets(st.sampled_from(HOMES), min_size=1), hours=st.sets(st.sampled_from(HOURS)))
    def tell(self, homes, hours) -> None:
        """Homes tell an hour for the first time, or correct it."""
        said = []
        for home in sorted(homes & set(self.hub.ledger.homes)):
            for hour in sorted(hours):
                revision = self.revisions[home, hour] = self.revisions.get((home, hour), -1) + 1
                wh = self.chance.randrange(1 << 20, 1 << 21)
                start = self.hub.begin + hour * HOUR
                said.append(imported(home, start, wh, revision=revision, level=Level.CLEAR))
                number = int(self.hub.releases.numbers([home])[0])
                self.amounts[number, start, HOUR, revision] = wh
        self.hub.ledger.take(said, self.hub.now)

    @rule(home=st.sampled_from(HOMES), feeder=st.sampled_from(["north", "south"]))
    def move(self, home, feeder) -> None:
        self.hub.ledger.assign(home, DAY, feeder=feeder, groups=("g",) if home < "h4" else ())

    @rule(home=st.sampled_from(HOMES))
    def leave(self, home) -> None:
        self.hub.ledger.leave(home, DAY + timedelta(days=1))

    @rule(home=st.sampled_from(HOMES))
    def withdraw(self, home) -> None:
        self.hub.ledger.withdraw(home)
        self.hub.publisher.forget(home)
        self.revisions = {key: rev for key, rev in self.revisions.items() if key[0] != home}
        self.hub.ledger.assign(home, DAY, feeder="south")

    @rule()
    def restart(self) -> None:
        self.hub.restart()

    @rule(later=st.sampled_from([3600, 90000, 20 * 86400]))
    def publish(self, later) -> None:
        self.hub.now += later
        self.hub.publisher.publish(self.hub.now)
        self.attacker.look(self.hub.ledger, self.hub.releases, self.hub.publisher)

    @precondition(lambda self: self.attacker.shown)
    @invariant()
    def nobody_is_found(self) -> None:
        fewest = self.attacker.fewest()
        assert self.attacker.is_true(self.amounts)
        assert fewest is None or fewest >= FEW.k, fewest

    def teardown(self) -> None:
        if self.attacker.shown:
            assert self.attacker.finds(FEW.k) is None
        self.hub.close()
        self.folder.cleanup()


TestAttack = Attack.TestCase
TestAttack.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_the_attack_would_succeed_without_the_guard() -> None:
    everybody = frozenset((home, 0, HOUR, 0) for home in range(20))
    attacker = Attacker(shown=[(everybody, 1), (everybody - {(3, 0, HOUR, 0)}, 1)])
    assert attacker.finds(15) == {3}
    assert attacker.fewest() == 1
