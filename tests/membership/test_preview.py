"""What is shown before anybody agrees is the message of the last period that is over."""

from collections.abc import Callable, Sequence
import json
from typing import override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant
import pytest

from custom_components.carbon_meter.community.contract.message import Flow, Level, Quality
from custom_components.carbon_meter.community.member.agreed import Agreed
from custom_components.carbon_meter.community.member.figures import FlowFigures, HourFigures
from custom_components.carbon_meter.membership.intensity_names import YEAR, intensity
from custom_components.carbon_meter.membership.membership import present_clock
from custom_components.carbon_meter.membership.preview import async_preview
from custom_components.carbon_meter.membership.source import Source, SourceError

DAY = 86400
HOUR = 3600


class Every(Source):
    """Knows 1 kWh of every hour, or nothing at all."""

    def __init__(self, ready: int, *, fails: bool = False, is_empty: bool = False) -> None:
        self.ready, self.fails, self.is_empty = ready, fails, is_empty

    @override
    async def async_flows(self) -> tuple[Flow, ...]:
        return (Flow.GRID_IMPORT,)

    @override
    async def async_hours(self, begin: int, end: int) -> Sequence[HourFigures]:
        if self.fails:
            raise SourceError("not now")
        one = FlowFigures(
            wh=1000.0,
            grams=250.0,
            covered=HOUR,
            quality=Quality.MEASURED,
            intensity=intensity("fixed", "DE", "1", YEAR),
        )
        return [
            HourFigures(start=start, flows={Flow.GRID_IMPORT: one}, is_final=True)
            for start in ([] if self.is_empty else range(begin, end, HOUR))
        ]

    @override
    def ready_until(self, now: float) -> int:
        return self.ready

    @override
    async def async_changed_since(self, mark: int) -> tuple[int | None, int]:
        return None, mark

    @override
    def async_listen(self, listener: Callable[[int | None], None]) -> CALLBACK_TYPE:
        return lambda: None


def agreed(duration: int) -> Agreed:
    return Agreed(text="t@1", level=Level.CLEAR, duration=duration, flows=(Flow.GRID_IMPORT,))


@pytest.mark.parametrize("duration", [HOUR, DAY])
async def test_the_last_period_that_is_over(
    hass: HomeAssistant, enable_custom_integrations: None, duration: int
) -> None:
    ready = 1_795_478_400 // DAY * DAY + 5 * HOUR
    shown = await async_preview(hass, Every(ready), "c1", "h1", agreed(duration))
    assert shown is not None
    topic, payload = shown
    start = ready // duration * duration - duration
    assert topic == f"cm/v1/c1/h1/up/fp/{start}"
    message = json.loads(payload)
    assert (message["start"], message["dur"]) == (start, duration)
    assert message["items"][0]["wh"] == duration // HOUR * 1000


async def test_nothing_is_shown_of_what_nobody_knows(
    hass: HomeAssistant, enable_custom_integrations: None
) -> None:
    for source in (Every(10 * DAY, fails=True), Every(10 * DAY, is_empty=True)):
        assert await async_preview(hass, source, "c1", "h1", agreed(HOUR)) is None


@pytest.mark.parametrize(("is_synced", "said"), [(True, True), (False, False), (None, False)])
def test_a_clock_is_not_claimed_to_be_kept(
    monkeypatch: pytest.MonkeyPatch, is_synced: bool | None, said: bool
) -> None:
    monkeypatch.setattr(
        "custom_components.carbon_meter.membership.membership.is_synced", lambda: is_synced
    )
    assert present_clock().synced is said
