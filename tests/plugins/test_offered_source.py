"""A plugin's source of carbon intensity, over time: refreshed, failing, kept over a restart."""

from collections.abc import Sequence
from typing import Any

from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest

from custom_components.carbon_meter.carbon.grade import Grade
from custom_components.carbon_meter.carbon.intensity.source import (
    IntensityInterval,
    IntensityKind,
    SourceInfo,
)
from custom_components.carbon_meter.const import DOMAIN
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest
from tests.plugins.conftest import Write

OPTIONS = {"zone": "DE", "sources": [{"kind": "plugin", "offer": "own.grid"}]}
FACTOR = 342.06
SPECS = [MeterSpec(profile="schneider_iem3000")]
MODULE = """
from custom_components.carbon_meter.plugin import IntensityOffer, Plugin
async def create(hass, options):
    return await hass.data["own"](options)
async def async_get_carbon_meter_plugin(hass):
    return Plugin(intensity_sources=(IntensityOffer(key="grid", name="Own grid", create=create),))
"""


class Grid:
    """What a test lets the source say."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.info = SourceInfo(id="grid", name="The grid itself", attribution="me")
        self.refresh_after: Any = 0.0
        self.error: Exception | None = None
        self.refreshes = 0
        self.known: list[Any] = []
        self.made_with: list[Any] = []

    async def make(self, options):
        self.made_with.append(options)
        if self.error is not None:
            raise self.error
        return self

    async def refresh(self) -> None:
        self.refreshes += 1
        self.refresh_after = 300
        if self.error is not None:
            raise self.error

    def intervals(self, start: float, end: float) -> Sequence[Any]:
        return self.known

    def says(self, value: Any, seconds: float = 3600.0, **changes: Any) -> None:
        """Let the source know an intensity from now on."""
        now = self.clock.now()
        given = {"start": now, "end": now + seconds, "value": value, "grade": Grade.MEASURED}
        self.known = [IntensityInterval(**{**given, "source": "grid", **changes})]


@pytest.fixture
def grid(site: SiteUnderTest, write: Write) -> Grid:
    """Return the source, whose integration is not set up yet."""
    grid = Grid(site.clock)
    write("own", {"carbon_meter.py": MODULE})
    site.hass.data["own"] = grid.make
    return grid


async def opened(site: SiteUnderTest, options: dict[str, Any] = OPTIONS) -> None:
    assert await async_setup_component(site.hass, "own", {"own": {}})
    await site.open(SPECS, watts=3600.0, options=options)


def issue(site: SiteUnderTest) -> ir.IssueEntry | None:
    return ir.async_get(site.hass).async_get_issue(
        DOMAIN, f"intensity_{site.entry.entry_id}_own.grid"
    )


async def test_energy_is_weighed_with_what_the_source_says(site: SiteUnderTest, grid: Grid) -> None:
    grid.says(100, 600)
    await opened(site)
    assert grid.made_with == [{"zone": "DE", "kind": "plugin", "offer": "own.grid"}]
    await site.advance(600)
    await site.advance(600)
    total = site.meter().account.ledger.total
    # 0.6 kWh while the source knew something, then the yearly factor below it.
    assert total.carbon == pytest.approx(60 + 0.6 * FACTOR, rel=1e-6)
    assert set(total.by_grade) == {"measured", "yearly_factor"}
    assert issue(site) is None


async def test_source_is_asked_when_it_wants_to_be(site: SiteUnderTest, grid: Grid) -> None:
    await opened(site)
    assert grid.refreshes == 0
    await site.advance(10)
    assert grid.refreshes == 1
    await site.advance(280)
    assert grid.refreshes == 1
    await site.advance(20)
    assert grid.refreshes == 2
    grid.says(77)
    assert site.value("carbon_intensity", None) == FACTOR
    await site.advance(310)
    assert grid.refreshes == 3
    assert site.value("carbon_intensity", None) == 77


async def test_source_that_needs_no_refresh_gets_none(site: SiteUnderTest, grid: Grid) -> None:
    grid.refresh_after = None
    grid.says(100)
    await opened(site)
    await site.advance(3600, step=600)
    assert grid.refreshes == 0


async def test_impatient_source_is_held_back(site: SiteUnderTest, grid: Grid) -> None:
    async def refresh() -> None:
        grid.refreshes += 1

    grid.refresh = refresh  # type: ignore[method-assign]
    await opened(site)
    await site.advance(60)
    assert 2 <= grid.refreshes <= 7


async def test_failure_is_told_tried_again_and_forgotten(
    site: SiteUnderTest, grid: Grid, caplog: pytest.LogCaptureFixture
) -> None:
    grid.says(100, 300)
    await opened(site)
    grid.error = ConnectionError("the grid is away")
    await site.advance(10)
    told = issue(site)
    assert told is not None
    assert told.translation_key == "intensity_source_failed"
    assert told.translation_placeholders == {"source": "Own grid", "error": "the grid is away"}
    assert grid.refreshes == 1
    assert site.value("carbon_intensity", None) == 100  # what it said holds
    await site.advance(600)
    assert site.value("carbon_intensity", None) == FACTOR
    # After one minute, then two, then four.
    assert grid.refreshes == 4
    grid.error = None
    await site.advance(600)
    assert issue(site) is None
    assert caplog.text.count("the grid is away\n") <= 2


async def test_source_that_cannot_be_made_is_tried_again(site: SiteUnderTest, grid: Grid) -> None:
    grid.error = RuntimeError("no licence")
    grid.says(100)
    await opened(site)
    assert issue(site).translation_placeholders["error"] == "no licence"
    assert site.value("carbon_intensity", None) == FACTOR
    grid.error = None
    await site.advance(70)
    assert issue(site) is None
    assert site.value("carbon_intensity", None) == 100


async def test_marginal_intensities_are_refused(site: SiteUnderTest, grid: Grid) -> None:
    grid.info = SourceInfo(id="grid", name="Margin", kind=IntensityKind.MARGINAL)
    grid.says(900)
    await opened(site)
    assert "marginal, not average" in issue(site).translation_placeholders["error"]
    assert site.value("carbon_intensity", None) == FACTOR


@pytest.mark.parametrize(
    ("value", "changes"),
    [
        (float("nan"), {}),
        (-1.0, {}),
        (9e9, {}),
        (None, {}),
        (100.0, {"end": float("inf")}),
        (100.0, {"source": 7}),
    ],
)
async def test_impossible_interval_is_never_used(
    site: SiteUnderTest, grid: Grid, value: Any, changes: dict[str, Any]
) -> None:
    grid.says(value, **changes)
    await opened(site)
    await site.advance(60)
    assert issue(site) is not None
    assert site.value("carbon_intensity", None) == FACTOR
    total = site.meter().account.ledger.total
    assert total.carbon == pytest.approx(0.06 * FACTOR, rel=1e-6)
    grid.says(50)
    await site.advance(60)
    assert issue(site) is None
    assert site.value("carbon_intensity", None) == 50


async def test_what_was_said_is_known_after_a_restart(site: SiteUnderTest, grid: Grid) -> None:
    grid.says(100, 7200, source="grid:edition 3")
    await opened(site)
    await site.advance(600)
    await site.unload()
    site.pass_unseen(1200)
    grid.error = ConnectionError("the grid is away")
    await site.load()
    await site.advance(60)
    total = site.meter().account.ledger.total
    assert total.carbon == pytest.approx(total.import_energy / 1000 * 100, rel=1e-6)
    assert site.meter().account.ledger.total.import_energy == pytest.approx(1860, abs=12)
    state = site.hass.states.get(site.entity_id("carbon_intensity", None))
    assert state.attributes["source"] == "own.grid:edition 3"
    assert issue(site) is not None


async def test_missing_source_is_told_and_found_later(site: SiteUnderTest, grid: Grid) -> None:
    grid.says(100)
    await site.open(SPECS, watts=3600.0, options=OPTIONS)
    told = issue(site)
    assert told is not None
    assert told.translation_key == "intensity_source_missing"
    assert told.translation_placeholders == {"source": "own.grid"}
    assert site.value("carbon_intensity", None) == FACTOR
    assert await async_setup_component(site.hass, "own", {"own": {}})
    await site.settle()
    assert issue(site) is None
    await site.advance(10)
    assert site.value("carbon_intensity", None) == 100


async def test_choice_of_another_source_ends_it(site: SiteUnderTest, grid: Grid) -> None:
    grid.error = ConnectionError("away")
    await opened(site)
    assert issue(site) is not None
    site.hass.config_entries.async_update_entry(
        site.entry, options={"sources": [{"kind": "fixed", "value": 5.0}]}
    )
    await site.settle()
    assert issue(site) is None
    made = len(grid.made_with)
    await site.advance(7200, step=600)
    assert len(grid.made_with) == made
    assert site.value("carbon_intensity", None) == 5
