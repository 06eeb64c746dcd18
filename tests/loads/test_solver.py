"""The solver is installed when it is of use, and nothing depends on it."""

import sys
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.requirements import RequirementsNotFound
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.loads import solver as module
from custom_components.carbon_meter.loads.solver import REQUIREMENT, Solver
from tests.common import SiteUnderTest
from tests.loads.site import APPLIANCE, EVENING, HOUR, RUN_TIME, LoadedSite

T = EVENING.timestamp()
NIGHT = [400.0] * 4 + [100.0] * 3 + [300.0] * 60


class Installer:
    """Stands for Home Assistant's, which would ask the network."""

    def __init__(self, *, fails: bool) -> None:
        """Say whether it finds the requirement."""
        self.fails = fails
        self.asked: list[list[str]] = []

    async def __call__(
        self, hass: HomeAssistant, name: str, requirements: list[str], **kwargs: Any
    ) -> None:
        """Install."""
        self.asked.append(requirements)
        if self.fails:
            raise RequirementsNotFound(name, requirements)


def absent(monkeypatch: pytest.MonkeyPatch, *, fails: bool) -> Installer:
    """Let HiGHS be absent, and the installer find it or not."""
    installer = Installer(fails=fails)
    monkeypatch.setattr(module, "has_highs", lambda: False)
    monkeypatch.setattr(module, "async_process_requirements", installer)
    return installer


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Return the entry of a site that is not set up."""
    found = MockConfigEntry(domain=DOMAIN)
    found.add_to_hass(hass)
    return found


async def test_it_is_there(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    told: list[int] = []
    assert await Solver(hass, entry, lambda: told.append(1)).async_is_there()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert told == []


async def test_it_is_installed_once_in_the_background(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = absent(monkeypatch, fails=False)
    told: list[int] = []
    solver = Solver(hass, entry, lambda: told.append(1))
    assert installer.asked == []
    # Plans do not wait for it.
    assert not await solver.async_is_there()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert told == [1]
    assert await solver.async_is_there()
    assert installer.asked == [[REQUIREMENT]]


async def test_package_that_does_not_work_on_this_machine(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent(monkeypatch, fails=False)
    monkeypatch.setitem(sys.modules, "highspy", None)
    solver = Solver(hass, entry, lambda: None)
    assert not await solver.async_is_there()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not await solver.async_is_there()
    issues = ir.async_get(hass).issues
    assert [issue.translation_key for issue in issues.values()] == ["solver_missing"]
    solver.async_close()
    assert ir.async_get(hass).issues == {}


async def test_without_it_loads_under_a_fuse_are_planned_all_the_same(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = absent(monkeypatch, fails=True)
    site.start_at(EVENING)
    home = LoadedSite(site)
    home.set("input_boolean.washer_ready", "on")
    loads = [
        APPLIANCE,
        {**RUN_TIME, "title": "pump", "hours": 2.0},
        {**RUN_TIME, "title": "other", "hours": 2.0, "power": 900.0},
    ]
    await home.open(loads, NIGHT, planning={"fuse": 1200.0, "base_load": 100.0})
    assert installer.asked == [[REQUIREMENT]]
    assert home.issues() == {"solver_missing": {"requirement": REQUIREMENT}}
    runs = [load.plan.pieces for load in home.planner.loads.values()]
    assert all(runs)
    moments = {piece.start for pieces in runs for piece in pieces}
    for moment in moments:
        drawn = sum(p.power for pieces in runs for p in pieces if p.start <= moment < p.end)
        assert drawn <= 1100 + 1e-6
    await site.unload()
    assert home.issues() == {}


async def test_one_load_without_a_fuse_has_no_use_for_it(
    site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    installer = absent(monkeypatch, fails=True)
    site.start_at(EVENING)
    home = LoadedSite(site)
    home.set("input_boolean.washer_ready", "on")
    await home.open([APPLIANCE, {**RUN_TIME, "title": "pump"}], NIGHT)
    await home.advance(HOUR, step=600)
    assert installer.asked == []
    assert not any(domain == DOMAIN for domain, _ in ir.async_get(site.hass).issues)
