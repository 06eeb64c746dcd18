"""Meters that speak by themselves: waited for, listened to, missed once and welcomed back."""

import asyncio
from collections.abc import Callable

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.carbon_meter.driver import Heard
from custom_components.carbon_meter.drivers.speaking import SpeakingConnection
from custom_components.carbon_meter.metering.errors import (
    MeterError,
    MeterSilentError,
    MeterUnreachableError,
)
from custom_components.carbon_meter.metering.readings import Reading


def reading(power: float) -> Reading:
    return Reading(time=dt_util.utcnow().timestamp(), values={"power": power})


class Channel(SpeakingConnection):
    """A connection whose meter is the test."""

    def __init__(self, hass: HomeAssistant, **how: float) -> None:
        super().__init__(hass, **{"patience": 30.0, **how})
        self.ears: list[Heard] = []
        self.failure: MeterError | None = None
        self.held: asyncio.Event | None = None
        self.tries = 0

    async def async_subscribe(self, heard: Heard) -> Callable[[], None]:
        self.tries += 1
        if self.held is not None:
            await self.held.wait()
        if self.failure is not None:
            raise self.failure
        self.ears.append(heard)
        return lambda: self.ears.remove(heard)

    def say(self, power: float) -> None:
        for ear in list(self.ears):
            ear(reading(power))


class Listener:
    """What a coordinator would be told."""

    def __init__(self) -> None:
        self.powers: list[float] = []
        self.losses: list[str] = []

    def heard(self, said: Reading) -> None:
        self.powers.append(said.values["power"])

    def lost(self, err: MeterError) -> None:
        self.losses.append(str(err))


async def wait(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    """Let virtual time pass, second by second."""
    for _ in range(round(seconds)):
        freezer.tick(1)
        async_fire_time_changed(hass, dt_util.utcnow())
        await asyncio.sleep(0)


async def began(channel: Channel) -> None:
    """Let what has begun go on as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_first_reading_is_waited_for(hass: HomeAssistant) -> None:
    channel = Channel(hass)
    task = asyncio.create_task(channel.async_read())
    await began(channel)
    assert not task.done()
    channel.say(5.0)
    channel.say(6.0)
    assert (await task).values == {"power": 5.0}
    assert channel.ears == []


async def test_first_reading_that_does_not_come(hass: HomeAssistant) -> None:
    channel = Channel(hass, first_word=0.01)
    with pytest.raises(MeterSilentError, match="nothing was heard for 0 s"):
        await channel.async_read()
    assert channel.ears == []


async def test_first_subscription_that_fails_is_told(hass: HomeAssistant) -> None:
    channel = Channel(hass)
    channel.failure = MeterUnreachableError("no broker")
    with pytest.raises(MeterUnreachableError, match="no broker"):
        await channel.async_read()


async def test_silence_is_told_once_and_ends_with_the_next_word(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    channel, listener = Channel(hass), Listener()
    stop = channel.async_listen(listener.heard, listener.lost)
    await began(channel)
    for power in (1.0, 2.0):
        channel.say(power)
        await wait(hass, freezer, 25)
    assert listener.losses == []
    await wait(hass, freezer, 200)
    assert listener.losses == ["nothing was heard for 30 s"]
    channel.say(3.0)
    await wait(hass, freezer, 25)
    assert listener.losses == ["nothing was heard for 30 s"]
    await wait(hass, freezer, 100)
    assert len(listener.losses) == 2
    assert listener.powers == [1.0, 2.0, 3.0]
    stop()


async def test_meter_that_never_says_a_word_is_told(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    channel, listener = Channel(hass), Listener()
    stop = channel.async_listen(listener.heard, listener.lost)
    await wait(hass, freezer, 100)
    assert listener.losses == ["nothing was heard for 30 s"]
    stop()


async def test_short_pauses_are_no_silence(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    channel, listener = Channel(hass, patience=3.0), Listener()
    stop = channel.async_listen(listener.heard, listener.lost)
    await began(channel)
    channel.say(1.0)
    await wait(hass, freezer, 15)
    assert listener.losses == []
    await wait(hass, freezer, 10)
    assert listener.losses == ["nothing was heard for 20 s"]
    stop()


async def test_subscription_that_fails_is_tried_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    channel, listener = Channel(hass, patience=2700.0), Listener()
    channel.failure = MeterUnreachableError("no broker")
    stop = channel.async_listen(listener.heard, listener.lost)
    await began(channel)
    await wait(hass, freezer, 100)
    assert channel.tries == 4
    assert listener.losses == ["no broker"]
    channel.failure = None
    await wait(hass, freezer, 31)
    channel.say(7.0)
    assert listener.powers == [7.0]
    assert listener.losses == ["no broker"]
    stop()


@pytest.mark.parametrize("by_closing", [False, True])
async def test_nothing_is_left_after_the_end(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, by_closing: bool
) -> None:
    channel, listener = Channel(hass), Listener()
    stop = channel.async_listen(listener.heard, listener.lost)
    await began(channel)
    if by_closing:
        await channel.async_close()
    stop()
    stop()
    assert channel.ears == []
    await wait(hass, freezer, 200)
    assert listener.losses == []


async def test_subscription_that_is_on_its_way_is_given_up(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    channel, listener = Channel(hass), Listener()
    channel.held = asyncio.Event()
    channel.async_listen(listener.heard, listener.lost)
    await began(channel)
    assert channel.tries == 1
    await channel.async_close()
    channel.held.set()
    await began(channel)
    assert channel.ears == []
    assert channel.tries == 1


async def test_listener_that_fails_does_not_end_the_listening(hass: HomeAssistant) -> None:
    channel, listener = Channel(hass), Listener()

    def fail(_said: Reading) -> None:
        raise RuntimeError("a slip")

    stop = channel.async_listen(fail, listener.lost)
    await began(channel)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            channel.say(1.0)
    assert len(channel.ears) == 1
    stop()
