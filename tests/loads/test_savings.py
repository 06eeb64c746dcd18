"""What was really saved: against a calculation by hand, when the intensities have come true."""

import asyncio

import pytest

from custom_components.carbon_meter.carbon.accounting.figures import Account
from custom_components.carbon_meter.loads.realised import Ran, Realised
from custom_components.carbon_meter.loads.session import Session
from custom_components.carbon_meter.planning.plan import Piece
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EVENING, HOUR, LoadedSite
from tests.loads.test_planner import EVERY_KIND

T = EVENING.timestamp()
NIGHT = [400.0] * 4 + [100.0] * 2 + [300.0] * 60


@pytest.fixture
def home(site: SiteUnderTest) -> LoadedSite:
    """Return a site that is not set up, on an evening in September."""
    site.start_at(EVENING)
    return LoadedSite(site)


async def run_once(home: LoadedSite) -> None:
    """Let the appliance run at the time of its plan, its switch being seen."""
    home.set("input_boolean.washer", "off")
    home.set("input_boolean.washer_ready", "on")
    for _ in range(7 * 12):
        await home.advance(300)
        home.set("input_boolean.washer", "on" if home.load().run_now else "off")


async def test_realised_saving_is_that_of_a_calculation_by_hand(home: LoadedSite) -> None:
    # What comes true is not what was forecast.
    await home.open([APPLIANCE], NIGHT, planning={"price": 0.3})
    load = home.load()
    home.set("input_boolean.washer_ready", "on")
    await home.site.settle()
    assert load.saving_planned == pytest.approx(600)
    home.values = [380.0] * 4 + [150.0] * 2 + [300.0] * 60
    await run_once(home)
    realised = load.realised
    assert realised.pending == 0
    assert realised.runs == 1
    # 1 kW at 18:00, which was told by then, and 19:00, against 1 kW from 22:00 to 24:00.
    assert realised.energy == pytest.approx(2000, rel=0.01)
    assert realised.carbon == pytest.approx(400 + 380 - 2 * 150, rel=0.01)
    assert realised.cost == pytest.approx(0.0, abs=0.01)
    saving = realised.latest
    assert saving.planned == pytest.approx(600)
    assert saving.carbon.label.account is Account.AVOIDED
    assert saving.coverage > 0.95
    assert realised.history[0].runs[0][0] == pytest.approx(T + 4 * HOUR, abs=400)


async def test_it_waits_for_what_came_true_but_for_a_week_at_the_most(home: LoadedSite) -> None:
    await home.open([APPLIANCE], NIGHT)
    load = home.load()
    home.set("input_boolean.washer_ready", "on")
    await home.site.settle()
    home.set("sensor.co2", "unavailable")
    home.values = []
    for _ in range(7 * 12):
        await home.advance(300)
        home.set("input_boolean.washer", "on" if load.run_now else "off")
    assert (load.realised.pending, load.realised.runs) == (1, 0)
    await home.site.unload()
    home.site.pass_unseen(6 * 86400)
    await home.site.load()
    load = home.load()
    await home.advance(960, step=480)
    assert (load.realised.pending, load.realised.runs) == (1, 0)
    await home.site.unload()
    home.site.pass_unseen(86400)
    await home.site.load()
    load = home.load()
    await home.advance(960, step=480)
    # Nothing has come true: nothing is claimed.
    assert (load.realised.pending, load.realised.runs) == (0, 1)
    assert load.realised.latest.coverage < 0.1
    assert load.realised.carbon == pytest.approx(0.0, abs=100)


async def test_meter_of_the_load_tells_what_it_took(home: LoadedSite) -> None:
    specs = (
        MeterSpec(profile="eastron_sdm120", unit=1, name="grid", serial="1"),
        MeterSpec(profile="eastron_sdm120", unit=2, name="washer", serial="2"),
    )
    roles = {"grid": {"role": "grid"}, "washer": {"role": "submeter"}}
    await home.open([], NIGHT, specs=specs, meters=roles, watts=700.0)
    meter = home.site.meter("washer").subentry.subentry_id
    await home.add({**APPLIANCE, "meter": meter})
    load = home.load()
    assert load.seen.power == pytest.approx(700.0, rel=0.01)
    ran = Ran(
        ended=home.now + HOUR,
        taken=(Piece(home.now, home.now + HOUR, 1000.0),),
        baseline=(Piece(home.now, home.now + HOUR, 1000.0),),
        saved=None,
    )
    await home.advance(HOUR + 600, step=10)
    load.realised.wait_for(ran)
    await home.advance(960, step=10)
    # Its own meter counts, not what was planned.
    assert load.realised.energy == pytest.approx(700, rel=0.1)


async def booked(home: LoadedSite, kind: str, taken: Piece, baseline: Piece) -> float:
    """Return what a day of a load of a kind has saved in g, in hours of 400, 200 and 100 g/kWh."""
    await home.open([EVERY_KIND[kind]], [400.0, 200.0, 100.0, 300.0, 300.0])
    await home.advance(4 * HOUR, step=900)
    load = home.load()
    load.realised.wait_for(
        Ran(ended=home.now - HOUR, taken=(taken,), baseline=(baseline,), saved=7.0)
    )
    await home.advance(960, step=480)
    assert load.realised.pending == 0
    assert load.realised.latest.planned == 7.0
    return load.realised.carbon


async def test_heat_that_came_later_counts_by_the_hours_and_not_by_a_model(
    home: LoadedSite,
) -> None:
    # The model had expected half of it at 400 g; really it was 2 kWh at 100 g.
    saved = await booked(
        home, "tank", Piece(T + 2 * HOUR, T + 3 * HOUR, 2000.0), Piece(T, T + HOUR, 1000.0)
    )
    assert saved == pytest.approx(2 * 400 - 2 * 100)


async def test_light_saves_only_while_it_is_on(home: LoadedSite) -> None:
    # 500 W for three hours are dimmed to 400 W in the first, and then somebody turns them off.
    saved = await booked(home, "light", Piece(T, T + HOUR, 400.0), Piece(T, T + 3 * HOUR, 500.0))
    assert saved == pytest.approx(0.1 * 400)


async def test_battery_saves_what_it_gave_less_what_it_took(home: LoadedSite) -> None:
    # It gave 1 kWh at 400 g that it has to take again: at the mean of that time, as nothing is
    # known of what it was charged with.
    saved = await booked(home, "battery", Piece(T, T + HOUR, -1000.0), Piece(T, T + HOUR, 0.0))
    assert saved == pytest.approx(400 - 400 / 0.9)


def test_what_is_kept_comes_back() -> None:
    session = Session(
        since=1.0, baseline=(Piece(1.0, 3601.0, 500.0),), saved=3.0, begun=(Piece(1.0, 2.0, 3.0),)
    )
    assert Session.from_dict(session.as_dict()) == session
    ran = Ran.of(session, (Piece(7200.0, 10800.0, 500.0),), 10800.0)
    realised = Realised()
    realised.wait_for(ran)
    again = Realised.from_dict(realised.as_dict())
    assert again.as_dict() == realised.as_dict()
    assert again.waiting == [ran]
    with pytest.raises(ValueError, match="has taken"):
        Ran.from_dict({**ran.as_dict(), "taken": []})


def test_day_of_what_is_never_done_ends_with_the_day() -> None:
    session = Session(
        since=0.0, baseline=(Piece(0.0, 100.0, 5.0), Piece(200.0, 900.0, 5.0)), until=900.0
    )
    ran = Ran.of(session, (Piece(0.0, 10.0, 5.0),), 300.0)
    assert ran.baseline == (Piece(0.0, 100.0, 5.0), Piece(200.0, 300.0, 5.0))


async def test_many_runs_that_wait_do_not_hold_up_home_assistant(home: LoadedSite) -> None:
    await home.open([APPLIANCE])
    load = home.load()
    for day in range(1, 7):
        piece = Piece(home.now - day * 86400.0, home.now - day * 86400.0 + HOUR, 1000.0)
        load.realised.wait_for(Ran(ended=piece.end, taken=(piece,), baseline=(piece,), saved=None))
    settling = home.hass.async_create_task(home.planner._async_settle(None))
    turns = 0
    while not settling.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns >= load.realised.pending == 6


def test_what_is_kept_follows_every_change() -> None:
    realised = Realised()
    piece = Piece(T, T + HOUR, 1000.0)
    empty = realised.as_dict()
    assert realised.as_dict() is empty
    ran = Ran(ended=T + HOUR, taken=(piece,), baseline=(piece,), saved=None)
    realised.wait_for(ran)
    assert len(realised.as_dict()["waiting"]) == 1
    realised.book(ran, (piece,), None)
    assert realised.as_dict()["waiting"] == []
    assert empty["waiting"] == []
