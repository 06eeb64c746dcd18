"""A whole home in a real core: what the recorder tells equals an account kept in plain Python.

Powers are constant between two readings, and whole watt-hours flow in each: the meters'
counters are exact, and so must be everything that follows from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import random
from types import MappingProxyType
from typing import Any, Final

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.carbon_meter.bookkeeper import archive_path
from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import Appliance, Household, MeterSpec, Steps
from hardware.virtual.household import Node
from tests.common import SiteUnderTest

STEP: Final = 150
"""Seconds between two readings."""

UNIT: Final = 24.0
"""W: one Wh in a step."""

ENTITY: Final = "sensor.grid_carbon"
EFFICIENCY: Final = 0.95
SOLAR: Final = 41.0
"""gCO2eq/kWh of a roof over its life cycle (IPCC AR5 WGIII, table A.III.2)."""

ROLES: Final = {
    "grid": "grid",
    "solar": "solar",
    "battery": "battery",
    "kitchen": "submeter",
    "oven": "submeter",
}


@pytest.fixture(autouse=True)
def recorder_first(recorder_mock) -> None:
    """Set the recorder up before Home Assistant."""


@dataclass(kw_only=True)
class Step:
    """What flows for two and a half minutes, in W, and what the grid is like."""

    rest: float
    kitchen: float
    oven: float
    solar: float
    battery: float
    """Charging is positive."""

    first: float
    second: float
    """gCO2eq/kWh, before and after the moment at which it changes."""

    changes: int
    """Seconds after the beginning."""

    @property
    def grid(self) -> float:
        return self.rest + self.kitchen + self.oven + self.battery - self.solar

    @property
    def mean(self) -> float:
        """Return the mean intensity by time: the power is constant."""
        part = self.changes / STEP
        return self.first * part + self.second * (1 - part)


def lived(seed: int, slots: int) -> list[Step]:
    """Return the steps of a home: a battery either charges or discharges in a slot."""
    rng = random.Random(seed)  # noqa: S311
    steps: list[Step] = []
    content = 0.0
    for _ in range(slots):
        sunny = rng.random() < 0.6
        turn = rng.choice([1, 1, 0, -1])
        power = turn * UNIT * rng.randrange(1, 60)
        if power < 0 and content < 2 * -power * STEP / 3600 / EFFICIENCY:
            power = 0.0
        content += 2 * STEP / 3600 * (power * EFFICIENCY if power > 0 else power / EFFICIENCY)
        steps += [
            Step(
                rest=UNIT * rng.randrange(5, 80),
                kitchen=UNIT * rng.randrange(0, 30),
                oven=UNIT * rng.randrange(0, 60),
                solar=UNIT * rng.randrange(0, 150) if sunny else 0.0,
                battery=power,
                first=float(rng.randrange(20, 900)),
                second=float(rng.randrange(20, 900)),
                changes=rng.randrange(10, STEP - 10),
            )
            for _ in range(2)
        ]
    return steps


def household(start: float, steps: list[Step]) -> Household:
    """Return the home; the oven is behind the kitchen's meter."""

    def source(name: str) -> Steps:
        return Steps.lasting(start, [(STEP, getattr(step, name)) for step in steps])

    one = (1.0, 0.0, 0.0)
    parts = {
        name: Appliance(node=name, source=source(name), phases=one, produces=name == "solar")
        for name in ("rest", "kitchen", "oven", "solar", "battery")
    }
    home = Household(parts.values(), start)
    kitchen = Node("kitchen", (parts["kitchen"], parts["oven"]))
    home.nodes = MappingProxyType({**home.nodes, "kitchen": kitchen})
    return home


@dataclass(kw_only=True)
class Account:
    """The oracle: sums by hour in kWh and kg, kept without a line of the integration."""

    hours: dict[tuple[str, str], dict[float, float]] = field(default_factory=dict)

    def add(self, owner: str, what: str, moment: float, value: float) -> None:
        of_owner = self.hours.setdefault((owner, what), {})
        hour = moment // 3600 * 3600
        of_owner[hour] = of_owner.get(hour, 0.0) + value / 1000.0


def energy(pair: Sequence[Step], name: str, sign: float = 1.0) -> float:
    """Return the Wh that flow one way through a place in some steps."""
    return sum(max(sign * getattr(step, name), 0.0) * STEP / 3600 for step in pair)


def integral(pair: Sequence[Step], *names: str) -> float:
    """Return the grams of import through places in some steps, all of it from the grid."""
    return sum(
        sum(max(getattr(step, name), 0.0) for name in names) * STEP / 3600 * step.mean / 1000
        for step in pair
    )


def account(start: float, steps: list[Step]) -> Account:
    """Weigh each five minutes with what fed the home in them."""
    book = Account()
    stored, grams = 0.0, 0.0
    for place in range(0, len(steps), 2):
        at, pair = start + place * STEP, steps[place : place + 2]
        imported, exported = energy(pair, "grid"), energy(pair, "grid", -1.0)
        charge, given = energy(pair, "battery"), energy(pair, "battery", -1.0)
        made = energy(pair, "solar")
        used = sum(energy(pair, name) for name in ("rest", "kitchen", "oven"))
        of_grid, of_solar = integral(pair, "grid"), made * SOLAR / 1000
        of_battery = given / EFFICIENCY / stored * grams if given else 0.0
        total = imported + made + given
        mixed = (of_grid + of_solar + of_battery) / total
        stored += charge * EFFICIENCY - given / EFFICIENCY
        grams += charge * mixed - of_battery
        mean = sum(step.mean for step in pair) / 2
        for owner, what, value in (
            ("grid", "energy_import", imported),
            ("grid", "energy_export", exported),
            ("grid", "carbon", of_grid),
            ("site", "energy_import", imported),
            ("site", "energy_export", exported),
            ("site", "energy_generated", made),
            ("site", "energy_charged", charge),
            ("site", "energy_discharged", given),
            ("site", "energy_used", used),
            ("site", "carbon", of_grid),
            ("site", "generation_carbon", of_solar),
            ("site", "consumption_carbon", used * mixed),
            ("site", "export_carbon", exported * mixed),
            ("site", "avoided_export", exported * mean / 1000),
            ("battery", "charge_carbon", charge * mixed),
            ("battery", "discharge_carbon", of_battery),
        ):
            book.add(owner, what, at, value)
        for name, members in (("kitchen", ("kitchen", "oven")), ("oven", ("oven",))):
            own = sum(energy(pair, one) for one in members)
            book.add(name, "energy_import", at, own)
            others = own * (of_solar + of_battery)
            book.add(name, "carbon", at, (integral(pair, *members) * imported + others) / total)
    return book


async def live(site: SiteUnderTest, steps: list[Step]) -> None:
    """Let steps pass; the intensity changes between two readings."""
    for step in steps:
        say(site, step.first)
        site.pass_unseen(step.changes)
        say(site, step.second)
        await site.advance(STEP - step.changes, step=STEP)


def say(site: SiteUnderTest, value: float) -> None:
    site.hass.states.async_set(ENTITY, str(value), {"unit_of_measurement": "gCO2eq/kWh"})


async def opened(site: SiteUnderTest, start: datetime, steps: list[Step]) -> None:
    """Open the home before its first step."""
    site.start_at(start)
    say(site, steps[0].first)
    specs = [
        MeterSpec(profile="schneider_iem3000", node=node, unit=unit)
        for unit, node in enumerate(ROLES, start=1)
    ]
    kept: dict[str, dict[str, Any]] = {
        node: {"role": role, "interval": STEP} for node, role in ROLES.items()
    }
    home = household(site.clock.now(), steps)
    options = {
        "zone": "DE",
        "sources": [{"kind": "entity", "entity_id": ENTITY}],
        "details": {"solar_scope": "life_cycle"},
    }
    await site.open(specs, household=home, options=options, meters=kept)
    by_title = {one.title: one for one in site.entry.subentries.values()}
    oven, kitchen = by_title["Oven"], by_title["Kitchen"]
    site.hass.config_entries.async_update_subentry(
        site.entry, oven, data={**oven.data, "parent": kitchen.subentry_id}
    )
    await site.settle()
    battery = by_title["Battery"].subentry_id
    site.hass.config_entries.async_update_entry(
        site.entry,
        options={**options, "batteries": {battery: {"efficiency": 100 * EFFICIENCY**2}}},
    )
    await site.settle()


def owner_of(site: SiteUnderTest, name: str) -> str:
    if name == "site":
        return site.entry.entry_id
    return site.meter(name).subentry.subentry_id


async def told(site: SiteUnderTest, period: str) -> dict[tuple[str, str], dict[float, float]]:
    """Return what Home Assistant tells of every series, by owner and by what it is of."""
    await async_wait_recording_done(site.hass)
    found = await get_instance(site.hass).async_add_executor_job(
        statistics_during_period,
        site.hass,
        dt_util.utcnow() - timedelta(days=40),
        None,
        None,
        period,
        None,
        {"change"},
    )
    names = {owner_of(site, name).lower(): name for name in ("site", *ROLES)}
    rows: dict[tuple[str, str], dict[float, float]] = {}
    for series, values in found.items():
        owner, _, what = series.removeprefix(f"{DOMAIN}:").partition("_")
        rows[names[owner], what] = {
            row["start"]: row["change"] for row in values if row.get("change") is not None
        }
    return rows


async def assert_equal(site: SiteUnderTest, book: Account) -> None:
    """Hold the record against the account, by the hour, and everything longer against hours."""
    hours = await told(site, "hour")
    for key, expected in book.hours.items():
        known = hours.get(key, {})
        found = {hour: known.get(hour, 0.0) for hour in expected}
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12), key
    for period in ("day", "week", "month", "year"):
        longer = await told(site, period)
        for key, expected in book.hours.items():
            assert sum(longer.get(key, {}).values()) == pytest.approx(
                sum(expected.values()), rel=1e-9, abs=1e-12
            ), (period, key)


@pytest.mark.parametrize(
    ("zone", "start", "slots"),
    [
        ("Europe/Berlin", "2026-12-31T23:00:00+01:00", 24),
        ("Asia/Kathmandu", "2027-02-10T18:00:00+00:00", 12),
        ("Europe/Berlin", "2026-10-25T02:00:00+02:00", 24),
    ],
)
async def test_record_equals_exact_integrals(
    site: SiteUnderTest, zone: str, start: str, slots: int
) -> None:
    await site.hass.config.async_set_time_zone(zone)
    begin = datetime.fromisoformat(start)
    steps = lived(slots, slots)
    await opened(site, begin, steps)
    await live(site, steps)
    await site.advance(60, step=20)
    await assert_equal(site, account(begin.timestamp(), steps))


def sums(site: SiteUnderTest) -> dict[str, float]:
    """Return the sums that are shown of what the grid has brought."""
    return {
        "site": site.value("site_carbon_total", None),
        **{key: site.value(key) for key in ("carbon_total", "energy_import", "energy_export")},
    }


async def test_restarts_leave_no_trace(site: SiteUnderTest) -> None:
    begin = datetime.fromisoformat("2027-01-15T10:00:00+00:00")
    steps = lived(1, 24)
    chance = random.Random(1)  # noqa: S311
    await opened(site, begin, steps)
    before = sums(site)
    for place in range(len(steps)):
        await live(site, steps[place : place + 1])
        shown = sums(site)
        assert all(shown[key] >= before[key] for key in shown)
        before = shown
        if chance.random() < 0.2:
            await site.unload()
            await site.load()
            assert sums(site) == pytest.approx(before, abs=2e-6)
    await site.advance(60, step=20)
    await assert_equal(site, account(begin.timestamp(), steps))


async def test_archive_of_before_catches_up(
    site: SiteUnderTest, hass_storage: dict[str, Any]
) -> None:
    begin = datetime.fromisoformat("2027-01-15T10:00:00+00:00")
    steps = lived(5, 36)
    await opened(site, begin, steps)
    await live(site, steps[:17])
    path = archive_path(site.hass, site.entry.entry_id)
    kept = {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")}
    await live(site, steps[17:53])
    before = sums(site)
    await site.unload()
    # A copy made while it was open, as after a failure of the power: the log goes with it.
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    for name in (path.name, f"{path.name}-wal"):
        (path.parent / name).write_bytes(kept[name])
    await site.load()
    assert sums(site) == pytest.approx(before, abs=2e-6)
    await live(site, steps[53:])
    await site.advance(60, step=20)
    await assert_equal(site, account(begin.timestamp(), steps))
