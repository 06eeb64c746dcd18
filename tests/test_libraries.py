"""The user's own profiles and factors: used where they are right, named where they are wrong."""

import asyncio
from pathlib import Path

from homeassistant.config_entries import ConfigEntryState
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
    text = (
        (PACKAGED / "modbus" / "eastron_sdm630.yaml")
        .read_text()
        .replace("name: SDM630", "name: Mine")
    )
    (own / "profiles" / "sdm630.yaml").write_text(text)
    libraries = await async_get_libraries(hass)
    assert libraries.profiles["eastron_sdm630"].name == "Mine"


async def test_libraries_are_loaded_once(hass: HomeAssistant) -> None:
    assert await async_get_libraries(hass) is await async_get_libraries(hass)


async def reload(site: SiteUnderTest) -> None:
    await site.hass.services.async_call(DOMAIN, "reload", blocking=True)
    await site.settle()


async def test_mended_profile_is_read_without_a_restart(own: Path, site: SiteUnderTest) -> None:
    file = own / "profiles" / "own.yaml"
    file.write_text(BROKEN_PROFILE)
    await site.open()
    before = site.entry.runtime_data
    assert problems_told(site.hass)
    file.write_text(BROKEN_PROFILE.replace("wattage", "power"))
    await reload(site)
    assert not problems_told(site.hass)
    assert "own" in (await async_get_libraries(site.hass)).profiles.profiles
    assert site.entry.runtime_data is before  # no meter of the site uses it


async def test_changed_profile_sets_its_sites_up_anew(own: Path, site: SiteUnderTest) -> None:
    await site.open(watts=3000.0)
    text = (PACKAGED / "modbus" / "eastron_sdm630.yaml").read_text()
    file = own / "profiles" / "sdm630.yaml"
    file.write_text(text.replace("name: SDM630", "name: Mine"))
    await reload(site)
    assert site.entry.state is ConfigEntryState.LOADED
    assert site.meter().profile.name == "Mine"
    await site.advance(60)
    # One that is broken is not replaced by the packaged one in silence, and comes back.
    file.write_text(text.replace("unit: Hz", "unit: furlong"))
    await reload(site)
    assert site.entry.state is ConfigEntryState.SETUP_ERROR
    assert "eastron_sdm630" in (site.entry.reason or "")
    (told,) = problems_told(site.hass)
    assert "'furlong' does not fit frequency" in told
    file.unlink()
    await reload(site)
    assert site.entry.state is ConfigEntryState.LOADED
    assert site.meter().profile.name == "SDM630"
    assert not problems_told(site.hass)
    await site.advance(600)
    shown = site.home["grid"].shown_values(site.clock.now())["energy_import"]
    assert site.meter().account.ledger.total.import_energy == pytest.approx(shown, abs=1)


async def test_file_of_another_protocol_leaves_the_meter_out(
    own: Path, site: SiteUnderTest
) -> None:
    head = BROKEN_PROFILE.split("protocol:", maxsplit=1)[0].replace("id: own", "id: eastron_sdm630")
    form = "protocol: speedwire\nsusy_ids: {1: M}\nchannels:\n"
    row = "  - {quantity: power, channel: 1, unit: W}\n"
    (own / "profiles" / "sdm630.yaml").write_text(head + form + row)
    await site.open()
    assert site.entry.state is ConfigEntryState.SETUP_ERROR
    assert "one of another protocol" in (site.entry.reason or "")


async def test_changed_factor_is_used_at_once(own: Path, site: SiteUnderTest) -> None:
    site.hass.config.country = "DE"
    await site.open()
    assert site.value("carbon_intensity", None) != 100
    good = FACTORS_WITH_A_HOLE.rsplit("\n", 2)[0] + "\n"
    (own / "factors" / "own.yaml").write_text(good)
    await reload(site)
    assert site.value("carbon_intensity", None) == 100


async def test_reloads_at_once_end_with_the_newest(own: Path, site: SiteUnderTest) -> None:
    await site.open()
    file = own / "profiles" / "own.yaml"
    calls = []
    for text in (BROKEN_PROFILE, BROKEN_PROFILE.replace("wattage", "power")):
        file.write_text(text)
        calls.append(site.hass.services.async_call(DOMAIN, "reload", blocking=True))
    await asyncio.gather(*calls)
    await site.settle()
    assert not problems_told(site.hass)
    assert "own" in (await async_get_libraries(site.hass)).profiles.profiles


async def test_who_gives_up_waiting_takes_nobody_along(hass: HomeAssistant) -> None:
    impatient = asyncio.ensure_future(async_get_libraries(hass))
    patient = asyncio.ensure_future(async_get_libraries(hass))
    await asyncio.sleep(0)
    impatient.cancel()
    assert "eastron_sdm630" in (await patient).profiles.profiles
    assert impatient.cancelled()


MISTAKES = {
    "no id": ("id: own\n", "", 1, "id"),
    "id with a space": ("id: own", "id: my own", 1, "use small letters"),
    "unknown key": ("phases: 1", "phases: 1\nphase: 1", 6, "phase"),
    "a key twice": ("phases: 1", "phases: 1\nphases: 2", 6, "written twice"),
    "no list": ("models: [M1]", "models: M1", 4, "models"),
    "phases of a text": ("phases: 1", "phases: one", 5, "whole number from 1 to 3"),
    "unknown protocol": ("protocol: modbus", "protocol: modbuss", 6, "'modbuss'"),
    "unknown function": ("function: input", "function: 4", 7, "4 is not a function"),
    "unknown quantity": ("voltage", "volts", 9, "'volts' is not a quantity"),
    "wrong unit": ("unit: V", "unit: A", 9, "'A' does not fit voltage"),
    "no unit": (", unit: V", "", 9, "unit"),
    "address beyond the last": ("address: 0", "address: 65535", 9, "go beyond the last"),
    "negative address": ("address: 0", "address: -1", 9, "whole number from 0"),
    "quantity twice": ("wattage", "voltage", 10, "has a register already"),
    "tab": ("  - {quantity: voltage", "\t- {quantity: voltage", 9, "not valid YAML"),
    "open bracket": ("unit: V}", "unit: V", 10, "not valid YAML"),
    "scale of zero": ("unit: V", "unit: V, scale: 0", 9, "other than zero"),
    "unknown type": ("unit: V", "unit: V, type: float", 9, "'float' is not a register type"),
    "rollover of no counter": (
        "phases: 1",
        "phases: 1\nrollover: {voltage: 5}",
        6,
        "not a counter",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_every_kind_of_mistake_has_its_line(
    own: Path, hass: HomeAssistant, mistake: str
) -> None:
    old, new, line, message = MISTAKES[mistake]
    right = BROKEN_PROFILE.replace("wattage", "power")
    source = right if old in right else BROKEN_PROFILE
    assert old in source
    (own / "profiles" / "own.yaml").write_text(source.replace(old, new, 1))
    libraries = await async_get_libraries(hass)
    assert "own" not in libraries.profiles.profiles
    (told,) = problems_told(hass)
    assert f"- {line}: " in told
    assert message in told
