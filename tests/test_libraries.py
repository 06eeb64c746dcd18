"""The user's own profiles and factors: used where they are right, named where they are wrong."""

from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.profile_library import PACKAGED
from tests.common import SiteUnderTest

BROKEN_PROFILE = """\
id: own
vendor: Own
name: M1
models: [M1]
phases: 1
protocol: modbus
function: input
registers:
  - {quantity: voltage, address: 0, unit: V}
  - {quantity: wattage, address: 2, unit: W}
"""

FACTORS_WITH_A_HOLE = """\
id: own
title: Own figures
publisher: Me
edition: "2026"
scope: direct
includes_td: false
factors:
  - {zone: DE, value: 100, year: 2026}
  - {zone: FR, value: , year: 2026}
"""


@pytest.fixture
def own(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return the user's folder."""
    hass.config.config_dir = str(tmp_path)
    folder = Path(hass.config.path(DOMAIN))
    for name in ("profiles", "factors"):
        (folder / name).mkdir(parents=True)
    return folder


def problems_told(hass: HomeAssistant) -> list[str]:
    issues = ir.async_get(hass).issues.values()
    return [
        f"{issue.translation_placeholders['file']}\n{issue.translation_placeholders['problems']}"
        for issue in issues
        if issue.domain == DOMAIN and issue.translation_key == "data_file"
    ]


async def test_packaged_files_have_no_problems(hass: HomeAssistant) -> None:
    libraries = await async_get_libraries(hass)
    assert libraries.profiles.problems == ()
    assert libraries.factors.problems == ()
    assert not problems_told(hass)


async def test_broken_profile_is_named_with_its_line(own: Path, site: SiteUnderTest) -> None:
    (own / "profiles" / "own.yaml").write_text(BROKEN_PROFILE)
    await site.open()
    await site.advance(60)
    assert site.meter().last_update_success  # nothing else is affected
    (told,) = problems_told(site.hass)
    assert told.startswith(str(own / "profiles" / "own.yaml"))
    assert "- 10: registers.1.quantity: 'wattage' is not a quantity" in told


async def test_hole_in_a_factor_file_is_named_with_its_line(own: Path, site: SiteUnderTest) -> None:
    (own / "factors" / "own.yaml").write_text(FACTORS_WITH_A_HOLE)
    site.hass.config.country = "DE"
    await site.open()
    assert site.value("carbon_intensity", None) == 100  # the good line is used
    (told,) = problems_told(site.hass)
    assert "- 9: " in told
    assert "FR" in told


async def test_own_profile_replaces_the_packaged_one(own: Path, hass: HomeAssistant) -> None:
    text = (PACKAGED / "modbus" / "eastron_sdm630.yaml").read_text().replace("name: SDM630", "name: Mine")
    (own / "profiles" / "sdm630.yaml").write_text(text)
    libraries = await async_get_libraries(hass)
    assert libraries.profiles["eastron_sdm630"].name == "Mine"


async def test_libraries_are_loaded_once(hass: HomeAssistant) -> None:
    assert await async_get_libraries(hass) is await async_get_libraries(hass)
