"""Sites of earlier versions go on as they were."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.migration import _with_list


async def migrated(
    hass: HomeAssistant, options: dict[str, Any], *, version: int = 1, minor: int = 1
) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN, options=options, version=version, minor_version=minor)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    if entry.state is not ConfigEntryState.MIGRATION_ERROR:
        await hass.config_entries.async_unload(entry.entry_id)
    return entry


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({}, {"sources": []}),
        ({"source": "factor_library", "zone": "NO"}, {"zone": "NO", "sources": []}),
        ({"source": "fixed", "value": 7}, {"sources": [{"kind": "fixed", "value": 7}]}),
        (
            {"source": "entity", "entity_id": "sensor.x", "zone": "DE"},
            {"zone": "DE", "sources": [{"kind": "entity", "entity_id": "sensor.x"}]},
        ),
        (
            {"source": "plugin", "offer": "own.grid"},
            {"sources": [{"kind": "plugin", "offer": "own.grid"}]},
        ),
        # By hand, or half of it: what cannot be used is not kept, what is not known is.
        ({"source": "fixed", "other": 1}, {"other": 1, "sources": []}),
        ({"source": "telepathy", "value": 7}, {"sources": []}),
    ],
)
async def test_the_one_source_becomes_the_first_of_a_list(
    old, new, real_time: HomeAssistant
) -> None:
    entry = await migrated(real_time, old)
    assert entry.options == new
    assert (entry.version, entry.minor_version) == (1, 2)


async def test_what_is_new_stays(real_time: HomeAssistant) -> None:
    options = {"sources": [{"kind": "telepathy"}], "details": {}}
    entry = await migrated(real_time, options, minor=2)
    assert entry.options == options
    entry = await migrated(real_time, options, minor=3)
    assert (entry.options, entry.minor_version) == (options, 3)


async def test_a_later_major_version_is_left_alone(real_time: HomeAssistant) -> None:
    entry = await migrated(real_time, {"source": "fixed", "value": 7}, version=2)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR
    assert entry.options == {"source": "fixed", "value": 7}


@given(
    st.dictionaries(
        st.sampled_from(["source", "value", "entity_id", "offer", "zone", "sources", "x"]),
        st.sampled_from(["fixed", "entity", "plugin", "factor_library", "", "y"]),
    )
)
def test_no_option_of_today_is_lost(options: dict[str, Any]) -> None:
    new = _with_list(options)
    assert _with_list(new) == new
    for key in ("zone", "sources", "x"):
        if key in options:
            assert new[key] == options[key]
