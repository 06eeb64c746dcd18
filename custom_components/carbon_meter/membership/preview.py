"""The exact message that a home would tell next, before anything was agreed to."""

from homeassistant.core import HomeAssistant

from ..carbon.intervals import floor
from ..community.contract.writing import write
from ..community.member.agreed import Agreed
from ..community.member.figures import Period, footprint_of
from ..drivers.clock import now
from .membership import async_maker, present_clock
from .source import Source, SourceError


async def async_preview(
    hass: HomeAssistant, source: Source, community: str, home: str, agreed: Agreed
) -> tuple[str, str] | None:
    """Return topic and payload of the last period that is over, None where nothing is known."""
    moment = now()
    end = floor(source.ready_until(moment), agreed.duration)
    start = end - agreed.duration
    try:
        hours = await source.async_hours(start, end)
    except SourceError:
        return None
    footprint = footprint_of(
        hours,
        Period(community=community, home=home, start=start, duration=agreed.duration),
        agreed,
        await async_maker(hass),
        present_clock(),
        moment,
    )
    if footprint is None:
        return None
    topic, payload = write(footprint)
    return topic, payload.decode()
