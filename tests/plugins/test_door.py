"""Plugins that come early, late or faulty, and that go: nothing else is affected."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from homeassistant.config_entries import (
    ConfigEntryDisabler,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryData,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter import plugins
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.libraries import async_get_libraries
from custom_components.carbon_meter.metering.profile_library import PACKAGED, load_profiles
from tests.plugins.conftest import Write
from tests.plugins.tallybox import Tallybox

pytestmark = pytest.mark.usefixtures("closing")

HEAD = """
from custom_components.carbon_meter.plugin import *
from pathlib import Path
class Driver(MeterDriver):
    name = "Its own"
    def place(self, data): return data["host"]
    async def async_probe(self, hass, address, profiles): return ()
    async def async_open(self, hass, entry, data, profile): raise KeyError("host")
def driver(key, **more): return type("Driver", (Driver,), {"key": key, **more})()
async def async_get_carbon_meter_plugin(hass):
    return """

PROFILE = """\
id: {id}
vendor: Its own
name: M1
models: [M1]
phases: 1
protocol: modbus
function: input
registers:
  - {{quantity: voltage, address: 0, unit: {unit}}}
"""

FORM = """ProfileForm(
    protocol="own",
    fields={},
    build=lambda file, arguments: Profile(**arguments, quantities=("voltage",)),
)"""
OWN = (
    HEAD
    + f"""Plugin(
    drivers=(driver("own", forms=({FORM},)),), profiles=(Path(__file__).parent,)
)
"""
)
OWN_PROFILE = PROFILE.format(id="own_meter", unit="V").split("protocol:")[0] + "protocol: own\n"
MANIFEST = '{"domain": "own", "name": "Own", "version": "1.0", "config_flow": true}'
FLOW = """
from homeassistant.config_entries import ConfigFlow
class Flow(ConfigFlow, domain="own"):
    VERSION = 1
"""
OPENING = (
    OWN.replace('raise KeyError("host")', "return Connection()")
    + """
class Connection(MeterConnection):
    async def async_read(self):
        return Reading(time=time(), values={"voltage": 230.0})
from time import time
"""
)


def told(hass: HomeAssistant) -> dict[str, Mapping[str, str]]:
    """Return the placeholders of the repair issues by key."""
    return {
        issue.translation_key: issue.translation_placeholders or {}
        for (domain, _), issue in ir.async_get(hass).issues.items()
        if domain == DOMAIN and issue.active
    }


async def packaged_only(hass: HomeAssistant) -> None:
    """Check that nothing but what is packaged is there."""
    libraries = await async_get_libraries(hass)
    known = await hass.async_add_executor_job(load_profiles)
    assert dict(libraries.profiles.profiles) == dict(known.profiles)
    assert "modbus" in libraries.drivers
    assert "own" not in libraries.drivers
    assert not libraries.intensity_offers


@pytest.mark.parametrize(
    ("module", "problem"),
    [
        ("def nonsense(:", "SyntaxError"),
        ("from custom_components.carbon_meter.plugin import Gone", "ImportError: cannot import"),
        ("import not_installed_anywhere", "ModuleNotFoundError"),
        ("", "AttributeError"),
        (HEAD + "1 / 0", "ZeroDivisionError: division by zero"),
        (HEAD + "42", "42 is not a Plugin"),
        (HEAD + "None", "None is not a Plugin"),
        ("def async_get_carbon_meter_plugin(hass): return 1", "TypeError"),
        (HEAD + "Plugin(drivers=(driver('modbus'),))", "'modbus' is taken by Carbon Meter itself"),
        (HEAD + "Plugin(drivers=(driver('other'),))", "must be 'own' or begin with 'own.'"),
        (HEAD + "Plugin(drivers=(Driver,))", "is not an instance of a MeterDriver"),
        (HEAD + "Plugin(drivers=(driver(7),))", "key and name must be texts"),
        (HEAD + "Plugin(drivers=(Driver(),))", "key and name must be texts"),
        (HEAD + "Plugin(drivers=driver('own'))", "is not a tuple"),
        (HEAD + "Plugin(drivers=(driver('own', forms=7),))", "forms must be a tuple"),
        (HEAD + "Plugin(drivers=(driver('own', ports='no'),))", "invalid literal"),
        (
            HEAD + "Plugin(drivers=(driver('own', forms=(ProfileForm(protocol='modbus', fields={}, "
            "build=None),)),))",
            "the protocol 'modbus' is taken",
        ),
        (HEAD + "Plugin(profiles=('somewhere',))", "'somewhere' is not a Path"),
        (HEAD + "Plugin(profiles=(Path('/gone/away'),))", "/gone/away is not a directory"),
        (HEAD + "Plugin(intensity_sources=(7,))", "7 is not an IntensityOffer"),
    ],
)
async def test_faulty_plugin_is_told_and_harms_nobody(
    hass: HomeAssistant, write: Write, module: str, problem: str
) -> None:
    write("own", {"carbon_meter.py": module})
    write("zealous", {"carbon_meter.py": HEAD + "Plugin(drivers=(driver('zealous'),))"})
    for domain in ("own", "zealous", DOMAIN):
        assert await async_setup_component(hass, domain, {domain: {}})
    await hass.async_block_till_done()
    placeholders = told(hass)["plugin"]
    assert placeholders["integration"] == "Own"
    assert problem in placeholders["problems"]
    await packaged_only(hass)
    assert "zealous" in (await async_get_libraries(hass)).drivers
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "plugin_own")
    assert issue is not None
    assert issue.issue_domain == "own"


async def test_plugin_that_never_answers_is_given_up(
    hass: HomeAssistant, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_ASK_LIMIT", 0.01)
    write("own", {"carbon_meter.py": HEAD + "await __import__('asyncio').Event().wait()"})
    assert await async_setup_component(hass, "own", {"own": {}})
    assert await async_setup_component(hass, DOMAIN, {})
    assert "no answer within 0.01 s" in told(hass)["plugin"]["problems"]
    await packaged_only(hass)


async def test_right_parts_of_a_faulty_plugin_are_used(hass: HomeAssistant, write: Write) -> None:
    parts = "Plugin(drivers=(driver('own'), driver('own'), driver('own.other')))"
    write("own", {"carbon_meter.py": HEAD + parts})
    assert await async_setup_component(hass, "own", {"own": {}})
    assert await async_setup_component(hass, DOMAIN, {})
    assert told(hass)["plugin"]["problems"] == "- the key 'own' is used twice"
    assert {"own", "own.other"} <= set((await async_get_libraries(hass)).drivers)


async def test_faulty_and_greedy_profiles_change_no_other(
    hass: HomeAssistant, write: Write
) -> None:
    folder = "Plugin(profiles=(Path(__file__).parent / 'profiles',))"
    write(
        "own",
        {
            "carbon_meter.py": HEAD + folder,
            "profiles/good.yaml": PROFILE.format(id="own_good", unit="V"),
            "profiles/bad.yaml": PROFILE.format(id="own_bad", unit="furlong"),
            "profiles/greedy.yaml": PROFILE.format(id="eastron_sdm630", unit="V"),
            "profiles/thief.yaml": PROFILE.format(id="eastron_sdm120", unit="furlong"),
        },
    )
    assert await async_setup_component(hass, "own", {"own": {}})
    assert await async_setup_component(hass, DOMAIN, {})
    library = (await async_get_libraries(hass)).profiles
    packaged = load_profiles([PACKAGED])
    assert library["eastron_sdm630"] == packaged["eastron_sdm630"]
    assert library["eastron_sdm120"] == packaged["eastron_sdm120"]
    assert library["own_good"].vendor == "Its own"
    assert "own_bad" not in library.profiles
    problems = told(hass)["plugin"]["problems"]
    assert "bad.yaml:9: the unit 'furlong' does not fit voltage" in problems
    assert "the profile id eastron_sdm630 is taken" in problems
    assert "data_file" not in told(hass)


@pytest.mark.parametrize(
    ("fields", "build"),
    [
        ("{7: lambda value: 1 / 0}", "None"),
        ("{'words': lambda value: 1 / 0}", "None"),
        ("{'words': str}", "lambda file, arguments: 1 / 0"),
        ("{'words': str}", "lambda file, arguments: Profile(**arguments, quantities=('warmth',))"),
        ("None", "None"),
    ],
)
async def test_form_that_fails_is_the_fault_of_its_file(
    hass: HomeAssistant, write: Write, fields: str, build: str
) -> None:
    form = f"ProfileForm(protocol='own', fields={fields}, build={build})"
    text = PROFILE.format(id="own_good", unit="V").split("protocol:")[0]
    write(
        "own",
        {
            "carbon_meter.py": HEAD + f"Plugin(drivers=(driver('own', forms=({form},)),), "
            "profiles=(Path(__file__).parent / 'profiles',))",
            "profiles/good.yaml": text + "protocol: own\nwords: some\n",
        },
    )
    assert await async_setup_component(hass, "own", {"own": {}})
    assert await async_setup_component(hass, DOMAIN, {})
    libraries = await async_get_libraries(hass)
    assert "own_good" not in libraries.profiles.profiles
    assert "eastron_sdm630" in libraries.profiles.profiles
    assert "good.yaml" in told(hass)["plugin"]["problems"]


def site(tallybox: Tallybox, *, options: Mapping[str, object] | None = None) -> MockConfigEntry:
    """Return a site with a Tallybox, as the flow makes it."""
    data = {
        "driver": "tallybox",
        "host": "127.0.0.1",
        "port": tallybox.port,
        "profile": "tallybox_tb3",
        "manufacturer": "Tallybox",
        "model": "TB-3",
        "serial": "00042",
        "role": "grid",
        "inverted": False,
        "power_inverted": False,
        "interval": 10,
        "write_interval": 10,
    }
    meter = ConfigSubentryData(
        data=data, subentry_type="meter", title="Box", unique_id="tallybox:00042"
    )
    return MockConfigEntry(
        domain=DOMAIN, title="Village", options=dict(options or {}), subentries_data=[meter]
    )


async def set_up(hass: HomeAssistant, domain: str, config: Mapping[str, object]) -> None:
    assert await async_setup_component(hass, domain, {domain: config})
    await hass.async_block_till_done(wait_background_tasks=True)


def village(tallybox: Tallybox) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": tallybox.port}


async def test_late_plugin_heals_the_site(
    hass: HomeAssistant, tallybox_integration: str, tallybox: Tallybox
) -> None:
    entry = site(tallybox)
    entry.add_to_hass(hass)
    await set_up(hass, DOMAIN, {})
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert "through the integration Tallybox, which is not loaded" in (entry.reason or "")
    assert told(hass)["unknown_driver"] == {"meter": "Box", "integration": "Tallybox"}
    await set_up(hass, "tallybox", village(tallybox))
    assert entry.state is ConfigEntryState.LOADED
    (meter,) = entry.runtime_data.meters.values()
    assert meter.data.values["power"] == 1250
    assert not told(hass)


async def test_site_that_is_tried_again_is_healed_at_once(
    hass: HomeAssistant, tallybox_integration: str, tallybox: Tallybox
) -> None:
    entry = site(tallybox)
    (box,) = entry.subentries.values()
    dead = {**box.data, "driver": "modbus", "profile": "eastron_sdm630", "base": 0, "unit": 1}
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(
        entry,
        ConfigSubentry(
            data=MappingProxyType({**dead, "port": 9}),
            subentry_type="meter",
            title="Dead",
            unique_id="dead",
        ),
    )
    await set_up(hass, DOMAIN, {})
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await set_up(hass, "tallybox", village(tallybox))
    assert entry.state is ConfigEntryState.LOADED
    by_title = {meter.subentry.title: meter for meter in entry.runtime_data.meters.values()}
    assert by_title["Box"].last_update_success
    assert not by_title["Dead"].last_update_success


async def test_plugin_and_site_that_come_at_once(
    hass: HomeAssistant, tallybox_integration: str, tallybox: Tallybox, write: Write
) -> None:
    entry = site(tallybox, options={"source": "plugin", "offer": "tallybox.village"})
    entry.add_to_hass(hass)
    for domain in ("another", "further"):
        write(domain, {"carbon_meter.py": HEAD + f"Plugin(drivers=(driver({domain!r}),))"})
    config = {"tallybox": village(tallybox), DOMAIN: {}, "another": {}, "further": {}}
    await asyncio.gather(*(async_setup_component(hass, domain, config) for domain in config))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert not told(hass)
    drivers = (await async_get_libraries(hass)).drivers
    assert {"tallybox", "another", "further"} <= set(drivers)


async def test_plugin_that_comes_while_the_site_is_set_up(
    hass: HomeAssistant, tallybox_integration: str, tallybox: Tallybox
) -> None:
    await set_up(hass, DOMAIN, {})
    entry = site(tallybox)
    entry.add_to_hass(hass)
    await asyncio.gather(
        hass.config_entries.async_setup(entry.entry_id),
        async_setup_component(hass, "tallybox", {"tallybox": village(tallybox)}),
    )
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert not told(hass)


async def test_site_without_its_meters_is_left_in_peace(
    hass: HomeAssistant, tallybox_integration: str, tallybox: Tallybox, write: Write
) -> None:
    await set_up(hass, "tallybox", village(tallybox))
    entry = site(tallybox)
    entry.add_to_hass(hass)
    await set_up(hass, DOMAIN, {})
    before = entry.runtime_data
    write("another", {"carbon_meter.py": HEAD + "Plugin(drivers=(driver('another'),))"})
    await set_up(hass, "another", {})
    assert "another" in (await async_get_libraries(hass)).drivers
    assert entry.runtime_data is before


async def test_integration_that_is_disabled_takes_its_meters_along(
    hass: HomeAssistant, write: Write, tallybox: Tallybox
) -> None:
    write(
        "own",
        {
            "manifest.json": MANIFEST,
            "config_flow.py": FLOW,
            "carbon_meter.py": OPENING,
            "own.yaml": OWN_PROFILE,
        },
    )
    plugin_entry = MockConfigEntry(domain="own")
    plugin_entry.add_to_hass(hass)
    await hass.config_entries.async_setup(plugin_entry.entry_id)
    entry = site(tallybox)
    (subentry,) = entry.subentries.values()
    changed = {**subentry.data, "driver": "own", "profile": "own_meter"}
    entry.add_to_hass(hass)
    hass.config_entries.async_update_subentry(entry, subentry, data=changed)
    await set_up(hass, DOMAIN, {})
    assert entry.state is ConfigEntryState.LOADED, entry.reason

    # A reload is no farewell.
    before = entry.runtime_data
    await hass.config_entries.async_reload(plugin_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data is before

    await hass.config_entries.async_set_disabled_by(plugin_entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert told(hass)["unknown_driver"] == {"meter": "Box", "integration": "Own"}

    await hass.config_entries.async_set_disabled_by(plugin_entry.entry_id, None)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.LOADED
    assert not told(hass)

    await hass.config_entries.async_remove(plugin_entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (subentry,) = entry.subentries.values()
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not told(hass)


async def test_driver_that_cannot_open_leaves_out_its_meter(
    hass: HomeAssistant, write: Write, tallybox_integration: str, tallybox: Tallybox
) -> None:
    write(
        "own",
        {
            "carbon_meter.py": OWN,
            "own.yaml": OWN_PROFILE,
        },
    )
    await set_up(hass, "own", {})
    await set_up(hass, "tallybox", village(tallybox))
    entry = site(tallybox)
    (good,) = entry.subentries.values()
    bad = MockConfigEntry(
        domain=DOMAIN,
        subentries_data=[
            ConfigSubentryData(
                data={**good.data, "driver": "own", "profile": "own_meter"},
                subentry_type="meter",
                title="Bad",
                unique_id="own",
            )
        ],
    )
    entry.add_to_hass(hass)
    hass.config_entries.async_add_subentry(entry, next(iter(bad.subentries.values())))
    await set_up(hass, DOMAIN, {})
    assert entry.state is ConfigEntryState.LOADED
    assert [meter.subentry.title for meter in entry.runtime_data.meters.values()] == ["Box"]
