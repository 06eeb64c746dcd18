"""Hours on their way from the book to the outbox: what cannot be told now is told later."""

from collections.abc import Sequence

from homeassistant.util import dt as dt_util
import pytest

from custom_components.carbon_meter.community.contract.message import Flow
from custom_components.carbon_meter.community.member.errors import MemberError
from custom_components.carbon_meter.community.member.figures import HourFigures
from custom_components.carbon_meter.const import DOMAIN
from custom_components.carbon_meter.membership.source import SourceError
from tests.common import SiteUnderTest
from tests.community.broker import needs_broker
from tests.membership.hub import HubUnderTest
from tests.membership.joining import HOUR, join, lived, only, opened, until

pytestmark = [needs_broker, pytest.mark.usefixtures("at_once")]


async def test_hours_that_cannot_be_read_now_are_told_later(
    site: SiteUnderTest,
    hub: HubUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = await opened(site)
    membership = await join(site, hub)

    async def fail(_begin: int, _end: int) -> Sequence[HourFigures]:
        raise SourceError("the archive is busy")

    with monkeypatch.context() as patch:
        patch.setattr(membership.source, "async_hours", fail)
        end = await lived(site, 3)
        with pytest.raises(MemberError):
            await membership._async_hours(first, end)
        status = membership.link.status
        assert (status.waiting, status.out, status.last_told) == (0, 0, None)
    assert caplog.text.count("nothing is told now") == 1
    await lived(site, 1)
    wanted = {first + HOUR, first + 2 * HOUR, first + 3 * HOUR}
    await until(site, lambda: {start for start, _ in hub.cells(first, end + HOUR)} >= wanted)
    assert "what has waited is told" in caplog.text


async def test_what_was_restated_just_before_a_crash_is_told_after_it(
    site: SiteUnderTest, hub: HubUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await opened(site)
    membership = await join(site, hub)
    end = await lived(site, 3)
    hour = first + HOUR
    await until(site, lambda: (hour, Flow.GRID_IMPORT) in hub.cells(first, end))
    assert membership._told.mark == 0
    # Nobody hears of it any more.
    monkeypatch.setattr(membership, "_hours_changed", lambda _first: None)
    while membership._stops:
        membership._stops.pop()()
    start, stop = (dt_util.utc_from_timestamp(each).isoformat() for each in (hour, hour + HOUR))
    await site.hass.services.async_call(
        DOMAIN,
        "restate",
        {"start": start, "end": stop, "intensity": 100, "reason": "the supplier said so"},
        blocking=True,
        return_response=True,
    )
    await site.unload()
    await site.load()
    await until(site, lambda: hub.cells(first, end)[hour, Flow.GRID_IMPORT].sums.mg == 360_000)
    again = only(site)
    await until(site, lambda: again._told.mark > 0)
    # What was looked at is not looked at again.
    assert await again.source.async_changed_since(again._told.mark) == (None, again._told.mark)
    assert await again.source.async_changed_since(0) == (hour, again._told.mark)
