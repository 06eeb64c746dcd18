"""How tests walk through the forms of a membership."""

import asyncio
from collections import Counter
from collections.abc import Callable
import time
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.data_entry_flow import FlowResultType

from custom_components.carbon_meter.carbon.intervals import floor
from custom_components.carbon_meter.community.authority.invitation import Invitation
from custom_components.carbon_meter.community.member.status import MemberState
from custom_components.carbon_meter.membership.keys import SUBENTRY_MEMBERSHIP
from custom_components.carbon_meter.membership.membership import Membership
from custom_components.carbon_meter.membership.memberships import memberships_of
from hardware.virtual import MeterSpec
from tests.common import SiteUnderTest
from tests.membership.hub import HubUnderTest

HOUR = 3600
SPECS = [MeterSpec(profile="schneider_iem3000")]
EVERY_FIVE_MINUTES = {"grid": {"interval": 300}}
FIXED = {"source": "fixed", "value": 250.0}
PATIENCE = 60.0
STEP = 0.02


async def tick(site: SiteUnderTest, step: float = STEP) -> None:
    """Let a moment pass in which real things happen; the stopped time goes on by a step."""
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, STEP)
    site.clock.step(step)
    site.freezer.tick(step)
    await asyncio.sleep(0)


async def until(
    site: SiteUnderTest,
    is_so: Callable[[], Any],
    *,
    patience: float = PATIENCE,
    step: float = STEP,
) -> None:
    """Wait for what another process or thread does; the stopped time goes on by steps.

    The patience is that of real time: nobody else's work goes faster because steps are longer.
    """
    for _ in range(int(patience / STEP)):
        if is_so():
            return
        await tick(site, step)
    members = memberships_of(site.hass, site.entry)
    states = [one.link and one.link.status for one in members.all.values()] if members else []
    raise AssertionError(f"it did not happen: {states}")


async def opened(site: SiteUnderTest, **changes: Any) -> int:
    """Open a home that uses 3.6 kW of 250 gCO2eq/kWh; return the hour that it is."""
    choices = {"watts": 3600.0, "meters": EVERY_FIVE_MINUTES, "options": FIXED, **changes}
    await site.open(SPECS, **choices)
    return floor(time.time(), HOUR)


async def lived(site: SiteUnderTest, hours: int) -> int:
    """Let hours pass, and some minutes of the next; return when that one begins."""
    end = floor(time.time(), HOUR) + hours * HOUR
    await site.advance(end + 600 - time.time(), step=300)
    return end


async def reconfigure(site: SiteUnderTest) -> dict[str, Any]:
    """Open the menu of the membership."""
    (subentry,) = site.entry.get_subentries_of_type(SUBENTRY_MEMBERSHIP)
    return await site.hass.config_entries.subentries.async_init(
        (site.entry.entry_id, SUBENTRY_MEMBERSHIP),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )


async def changing(site: SiteUnderTest, step: str) -> dict[str, Any]:
    """Choose from the menu of the membership."""
    return await go_on(site, await reconfigure(site), {"next_step_id": step})


async def begin(site: SiteUnderTest) -> dict[str, Any]:
    """Open the form that asks for an invitation."""
    return await site.hass.config_entries.subentries.async_init(
        (site.entry.entry_id, SUBENTRY_MEMBERSHIP), context={"source": SOURCE_USER}
    )


async def go_on(
    site: SiteUnderTest, form: dict[str, Any], user_input: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Send a form; where a bar is shown wait for its end."""
    subentries = site.hass.config_entries.subentries
    form = await subentries.async_configure(form["flow_id"], user_input)
    while form["type"] is FlowResultType.SHOW_PROGRESS:
        await tick(site, 0.1)
        form = await subentries.async_configure(form["flow_id"])
    return form


async def agree(
    site: SiteUnderTest, invitation: Invitation, choices: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Fill in everything up to the end; return what the flow has come to."""
    form = await go_on(site, await begin(site), {"invitation": invitation.as_text()})
    assert form["step_id"] == "choices"
    defaults = {
        str(key): key.default() for key in form["data_schema"].schema if key.default is not None
    }
    form = await go_on(site, form, defaults | (choices or {}))
    assert form["step_id"] == "consent"
    return await go_on(site, form, {"agreed": True})


async def join(
    site: SiteUnderTest, hub: HubUnderTest, choices: dict[str, Any] | None = None
) -> Membership:
    """Join; return the membership at work."""
    form = await agree(site, hub.invite(), choices)
    assert form["type"] is FlowResultType.CREATE_ENTRY, form
    await site.settle()
    await until(site, lambda: only(site).link.status.state is MemberState.CONNECTED)
    return only(site)


async def quiet(site: SiteUnderTest, hub: HubUnderTest) -> None:
    """Wait until the hub has heard and answered all that has left: nothing is under way.

    A slow hub is told again what it has not acknowledged while a test lets hours pass, and what was
    told twice would still come after the test has gone on.
    """
    link = only(site).link

    def is_quiet() -> bool:
        left = Counter((one.topic, one.payload.encode()) for one in link.outgoing)
        return not (link.status.waiting or link.status.out or left - Counter(hub.heard))

    await until(site, is_quiet)


def only(site: SiteUnderTest) -> Membership:
    """Return the one membership of the site."""
    memberships = memberships_of(site.hass, site.entry)
    assert memberships is not None
    (membership,) = memberships.all.values()
    return membership
