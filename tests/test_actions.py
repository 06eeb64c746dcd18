"""The actions are there at all times, and say what to do where they cannot act."""

from datetime import UTC, datetime
from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.carbon_meter.const import DOMAIN
from tests.common import SiteUnderTest

ACTIONS = ("backfill", "restate", "audit_trail")
STRETCH = {"start": "2026-01-01T00:00:00", "end": "2026-01-02T00:00:00", "factors": True}


def fields(action: str) -> dict[str, Any]:
    return dict(STRETCH) if action == "restate" else {}


async def call(hass: HomeAssistant, action: str, **data: Any) -> Any:
    return await hass.services.async_call(
        DOMAIN, action, {**fields(action), **data}, blocking=True, return_response=True
    )


@pytest.mark.parametrize("action", ACTIONS)
async def test_without_a_site(real_time: HomeAssistant, action: str) -> None:
    assert await async_setup_component(real_time, DOMAIN, {})
    with pytest.raises(ServiceValidationError, match="no site"):
        await call(real_time, action)


@pytest.mark.parametrize("action", ACTIONS)
async def test_site_that_is_not_loaded_or_one_of_several(site: SiteUnderTest, action: str) -> None:
    await site.open(())
    await site.unload()
    with pytest.raises(ServiceValidationError, match="reload it"):
        await call(site.hass, action)
    MockConfigEntry(domain=DOMAIN, title="Barn", version=1, minor_version=2).add_to_hass(site.hass)
    with pytest.raises(ServiceValidationError, match="Choose one"):
        await call(site.hass, action)
    with pytest.raises(ServiceValidationError, match="no site x"):
        await call(site.hass, action, site="x")


async def test_without_a_recorder_there_is_no_past(site: SiteUnderTest) -> None:
    await site.open(())
    with pytest.raises(ServiceValidationError, match="Set the recorder up"):
        await call(site.hass, "backfill")
    # Hours can be weighed again, and the trail can be read.
    site_hours = await call(site.hass, "restate")
    assert site_hours["hours_changed"] == 0
    assert await call(site.hass, "audit_trail") == {"entries": []}


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("restate", {"intensity": -1.0}),
        ("restate", {"intensity": "much"}),
        ("restate", {"intensity": float("nan"), "factors": False, "reason": "-"}),
        ("restate", {"source": "guess"}),
        ("restate", {"start": "yesterday"}),
        ("audit_trail", {"limit": 0}),
        ("audit_trail", {"before": "x"}),
        ("backfill", {"start": 7}),
    ],
)
async def test_nonsense_is_refused(site: SiteUnderTest, action: str, data: dict[str, Any]) -> None:
    await site.open(())
    with pytest.raises((probatio.Invalid, ServiceValidationError)):
        await call(site.hass, action, **data)


async def test_who_may_not_change_anything_may_read(
    site: SiteUnderTest, hass_read_only_user: User
) -> None:
    site.start_at(datetime(2027, 1, 15, 10, tzinfo=UTC))
    await site.open(())
    context = Context(user_id=hass_read_only_user.id)
    for action in ("backfill", "restate"):
        with pytest.raises(Unauthorized):
            await site.hass.services.async_call(
                DOMAIN, action, fields(action), blocking=True, context=context
            )
    response = await site.hass.services.async_call(
        DOMAIN, "audit_trail", {}, blocking=True, context=context, return_response=True
    )
    assert response == {"entries": []}


async def test_every_field_is_described(site: SiteUnderTest) -> None:
    await site.open(())
    described = (await async_get_all_descriptions(site.hass))[DOMAIN]
    for action in ACTIONS:
        schema = site.hass.services.async_services()[DOMAIN][action].schema
        assert schema is not None
        assert set(described[action]["fields"]) == {str(key) for key in schema.schema}
