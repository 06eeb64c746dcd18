"""The simulated community: believable houses, what they tell, and the check of it all."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.refusal import RefusedError
from custom_components.carbon_meter.community.hub.publishing import MOST
from custom_components.carbon_meter.community.ledger.calendar import Grain
from demo.__main__ import main
from demo.community import check, figures, homes, hostile, places, run
from demo.community.dashboard import _view
from demo.community.homes import Part, SimulatedHome, part_of
from demo.community.house import DAY, QUARTER, House
from demo.community.places import STREET, by_place, place_of, scopes
from demo.community.telling import told
from demo.community.village import Past

HOUR = 3600
SUMMER = 20_620 * DAY  # 2026-06-16
WINTER = 20_800 * DAY  # 2026-12-13
HOUSES = [House.of(number, 6) for number in range(60)]


def test_a_house_is_always_the_same() -> None:
    for house in HOUSES[:6]:
        again = House.of(house.number, 6)
        assert again == house
        assert again.energy(SUMMER, DAY) == house.energy(SUMMER, DAY)
    assert [House.of(number, 7) for number in range(60)] != HOUSES


def test_energy_goes_where_it_comes_from() -> None:
    for house in HOUSES:
        for start in range(SUMMER, SUMMER + DAY, QUARTER):
            flows = house.energy(start, QUARTER)
            assert min(flows.values()) >= 0
            used = (
                flows[Flow.GRID_IMPORT]
                + flows.get(Flow.PV, 0)
                + flows.get(Flow.BATTERY_OUT, 0)
                - flows.get(Flow.GRID_EXPORT, 0)
                - flows.get(Flow.BATTERY_IN, 0)
            )
            assert used > 0, "a house never draws nothing"
            assert not (flows[Flow.GRID_IMPORT] and flows.get(Flow.GRID_EXPORT))


def test_periods_are_sums_of_their_quarters() -> None:
    for house in HOUSES[:10]:
        for start in (SUMMER, SUMMER + 11 * HOUR):
            quarters = [told(house, start + place * QUARTER, QUARTER) for place in range(4)]
            for place, whole in enumerate(told(house, start, HOUR)):
                assert whole.wh == sum(quarter[place].wh for quarter in quarters)
                assert whole.mg == sum(quarter[place].mg for quarter in quarters)


def test_the_sun_shines_by_day_and_more_in_summer() -> None:
    roofs = [house for house in HOUSES if house.solar]
    assert len(roofs) == 36

    def harvest(day: int) -> int:
        return sum(house.energy(day, DAY)[Flow.PV] for house in roofs)

    summer = sum(harvest(SUMMER + day * DAY) for day in range(7))
    winter = sum(harvest(WINTER + day * DAY) for day in range(7))
    assert summer > 3 * winter > 0
    assert all(house.energy(WINTER, HOUR)[Flow.PV] == 0 for house in roofs)
    # A kWp gives two to eight kWh on a day of summer.
    assert 2 < summer / 7 / sum(house.solar for house in roofs) < 8


@pytest.mark.parametrize("homes", [15, 20, 30])
def test_no_house_dominates_a_day(homes: int) -> None:
    for day in (SUMMER, WINTER):
        drawn = [house.energy(day, DAY)[Flow.GRID_IMPORT] for house in HOUSES[:homes]]
        assert max(drawn) < 0.15 * sum(drawn)


def test_in_most_hours_no_house_dominates_thirty() -> None:
    for day in (SUMMER, WINTER):
        hours = []
        for start in range(day, day + DAY, HOUR):
            drawn = [house.energy(start, HOUR)[Flow.GRID_IMPORT] for house in HOUSES[:30]]
            hours.append(max(drawn) <= 0.15 * sum(drawn))
        assert sum(hours) >= 22


def test_what_is_told_is_possible() -> None:
    for house in HOUSES[:12]:
        for start in range(SUMMER, SUMMER + DAY, HOUR):
            for each in told(house, start, HOUR):
                assert each.mg >= 0
                assert each.carbon_free is None or 0 <= each.carbon_free <= each.wh
                if each.wh:
                    assert 41 <= each.mg / each.wh <= 450


def test_enough_homes_are_steady() -> None:
    parts = [part_of(number, 30) for number in range(31)]
    assert parts.count(Part.STEADY) == 26
    assert parts.count(Part.HOSTILE) == parts.count(Part.CLOCK) == 1
    assert {Part.AWAY, Part.LATE} < set(parts)
    assert [part_of(number, 2) for number in range(3)] == [Part.STEADY, Part.CLOCK, Part.HOSTILE]


@pytest.mark.parametrize("homes", [30, 60, 100])
def test_nine_of_ten_have_told_the_latest_hours(homes: int) -> None:
    silent = {Part.AWAY, Part.LATE}
    told_ = sum(part_of(number, homes) not in silent for number in range(homes))
    assert told_ >= MOST * homes


def test_who_is_away_has_told_yesterday(tmp_path: Path) -> None:
    away = SimulatedHome(tmp_path, 3, 30)
    assert away.part is Part.AWAY
    midnight = SUMMER - 2 * HOUR  # in Berlin
    assert away.until(midnight) == midnight
    assert away.until(midnight + 5 * HOUR) == midnight
    assert away.until(midnight + 20 * HOUR) == midnight + 8 * HOUR
    steady = SimulatedHome(tmp_path, 0, 30)
    assert steady.until(midnight + 20 * HOUR) == midnight + 20 * HOUR


@pytest.mark.parametrize(
    ("homes", "stations", "time"),
    [(15, 1, Grain.DAY), (20, 1, Grain.DAY), (30, 1, Grain.HOUR), (60, 2, Grain.HOUR)],
)
def test_feeders_are_large_enough_and_a_group_is_not(
    tmp_path: Path, homes: int, stations: int, time: Grain
) -> None:
    village = [SimulatedHome(tmp_path, number, homes) for number in range(homes + 1)]
    feeders = Counter(place_of(home, homes).feeder for home in village[:homes])
    assert len(feeders) == stations
    assert min(feeders.values()) >= 15
    groups = Counter(group for home in village for group in place_of(home, homes).groups)
    assert 0 < groups[STREET] < 15
    assert places.finest(homes) is time
    assert scopes(village[:homes], homes) == {*feeders, *groups}
    assert sum(map(len, by_place(village, homes).values())) == homes + 1


def test_the_past_holds_a_whole_month_and_hours() -> None:
    past = Past.of(SUMMER + 5 * HOUR)
    assert past.hourly % DAY == past.since % DAY == 0
    assert past.hourly == SUMMER - 3 * DAY
    # 2026-04-30: May has begun in every time zone east of Greenwich.
    assert past.since == 20_573 * DAY


def test_a_hub_would_take_nothing_of_what_the_hostile_home_sends() -> None:
    taken = []
    now = homes.time.time()
    for topic, payload in hostile._garbage("cm/v1/c/mean", "mean", "victim"):
        if "/up/fp/" not in topic:
            continue
        try:
            taken.append(read(topic, payload, now))
        except RefusedError:
            continue
    # These two are sound, but for another flow or level than the home has agreed to.
    assert [(str(each.level), str(each.items[0].flow)) for each in taken] == [
        ("pseudonym", "pv"),
        ("clear", "grid_import"),
    ]


def period(kwh: float, kg: float, suppressed: str | None = None) -> Mapping[str, Any]:
    figures_ = {
        "flow": "grid_import",
        "kind": "average",
        "suppressed": suppressed,
        "kwh": kwh,
        "kg": kg,
        "is_approximate": False,
    }
    return {"begin": SUMMER, "end": SUMMER + HOUR, "flows": [figures_]}


class FakeVillage:
    """Two homes that have told one hour."""

    def __init__(self, folder: Path) -> None:
        self.honest = [SimulatedHome(folder, number, 30) for number in (0, 1)]
        for home in self.honest:
            home._book(SUMMER, SUMMER + HOUR, HOUR)


def test_a_published_figure_is_right_to_the_last_digit(tmp_path: Path) -> None:
    village: Any = FakeVillage(tmp_path)
    own = homes.sums(village.honest, SUMMER, SUMMER + HOUR)[Flow.GRID_IMPORT]
    assert own.wh > 0
    kwh, kg = own.wh / 1000, own.mg / 1_000_000

    def rights(published: Mapping[str, Any]) -> list[bool]:
        found = check._verdicts(village.honest, "hour", published, Flow.GRID_IMPORT)
        return [verdict.right for verdict in found]

    assert rights(period(kwh, kg)) == [True, True]
    assert rights(period(kwh + 0.001, kg)) == [False, True]
    assert rights(period(kwh, kg - 0.000_001)) == [True, False]
    assert rights(period(kwh, kg, "few")) == []


def test_the_table_says_why_something_is_not_shown() -> None:
    states = {
        "sensor.energy": {"state": "unknown", "attributes": {"suppressed": "few"}},
        "sensor.homes": {"state": "14", "attributes": {}},
    }
    row = figures._row(states, {"energy": "sensor.energy", "homes": "sensor.homes"})
    assert row[:2] == ["14", "(few)"]
    states["sensor.energy"] = {"state": "12.34", "attributes": {"suppressed": None}}
    assert figures._row(states, {"energy": "sensor.energy"})[1] == "12.3"


def test_another_community_is_begun_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    assert run._is_of(state, 30)
    state.mkdir()
    (state / "made_of").write_text(run._made_of(30), encoding="ascii")
    assert run._is_of(state, 30)
    assert capsys.readouterr().out == ""
    assert not run._is_of(state, 15)
    assert "begun" in capsys.readouterr().out


def cards_of(view: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [card for section in view["sections"] for card in section["cards"]]


@pytest.mark.parametrize("has_hours", [True, False])
def test_the_dashboard_says_why_something_is_hidden(has_hours: bool) -> None:
    community = {
        f"{grain}_{key}": f"sensor.{grain}_{key}"
        for grain in ("hour", "day", "month")
        for key in ("energy", "carbon", "intensity", "cfe_score", "self_consumption")
    }
    parts = {"Solar roofs": {"energy": "sensor.solar_energy"}}
    entities = figures.Entities(title="Village", community=community, parts=parts)
    view = _view(entities, "carbon_meter:x", has_hours=has_hours)
    hidden = [card["entity"] for card in cards_of(view) if card.get("icon") == "mdi:eye-off"]
    wanted = {"sensor.day_energy", "sensor.month_energy", "sensor.solar_energy"}
    if has_hours:
        wanted |= {"sensor.hour_energy", "sensor.hour_self_consumption"}
        wanted |= {"sensor.day_self_consumption"}
    assert set(hidden) == wanted
    charts = [card for card in cards_of(view) if card["type"] == "statistics-graph"]
    assert bool(charts) is has_hours
    about = view["header"]["card"]["content"]
    assert ("Days and months only" in about) is not has_hours


@pytest.mark.parametrize("count", ["1", "301", "many"])
def test_a_community_has_some_homes(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--community", count])
    assert exit_.value.code == 2
    assert "--community" in capsys.readouterr().err
