"""SMA energy meters, which send their readings to everybody on the local network."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.components import network
from homeassistant.core import HomeAssistant
import probatio

from ..const import CONF_INTERVAL, CONF_SERIAL
from ..driver import Find, Heard, MeterConnection, MeterDriver, ProbeError
from ..fields import whole_number
from ..metering.candidate import Candidate
from ..metering.errors import MeterError
from ..metering.profile import Profile
from ..metering.profile_library import ProfileLibrary
from ..metering.profile_schema import ProfileForm
from ..metering.speedwire.listener import SpeedwireListener
from ..metering.speedwire.meter import SpeedwireMeter
from ..metering.speedwire.profile import SpeedwireProfile
from ..metering.speedwire.schema import SPEEDWIRE
from .clock import now
from .speaking import SpeakingConnection

if TYPE_CHECKING:
    from ..data import CarbonMeterConfigEntry

CONF_LISTEN: Final = "listen"
CONF_SUSY_ID: Final = "susy_id"

_LISTEN: Final = 4
_SILENCES: Final = 3
"""Intervals without a word after which a meter has fallen silent."""


class SpeedwireDriver(MeterDriver):
    """Listens to the multicast group of SMA's meters, once for all of them."""

    key: ClassVar[str] = "speedwire"
    name: ClassVar[str] = "SMA Speedwire"
    forms: ClassVar[tuple[ProfileForm, ...]] = (SPEEDWIRE,)
    answers_calls: ClassVar[bool] = True

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self._listener: SpeedwireListener | None = None
        self._users = 0
        self._turn = asyncio.Lock()

    @property
    @override
    def address_fields(self) -> Mapping[Any, Any]:
        return {probatio.Required(CONF_LISTEN, default=_LISTEN): whole_number(1, 60, "s")}

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        return data[CONF_SUSY_ID], str(data[CONF_SERIAL])

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        try:
            listener = await self.async_acquire(hass)
        except MeterError as err:
            raise ProbeError("cannot_listen", str(err)) from err
        try:
            found = await listener.discover(
                profiles.of(SpeedwireProfile).values(), address.get(CONF_LISTEN, _LISTEN)
            )
            joined = listener.joined
        finally:
            await self.async_release()
        if not found:
            raise ProbeError("nothing_heard", ", ".join(joined))
        return found

    @override
    async def async_call(self, hass: HomeAssistant, profiles: ProfileLibrary) -> tuple[Find, ...]:
        try:
            return (({}, await self.async_probe(hass, {}, profiles)),)
        except ProbeError:
            return ()

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        assert isinstance(profile, SpeedwireProfile)  # noqa: S101  # chosen by this driver
        return SpeedwireConnection(hass, self, profile, data)

    async def async_acquire(self, hass: HomeAssistant) -> SpeedwireListener:
        """Return the listener, open; each user releases it in the end. Raises MeterError."""
        async with self._turn:
            if self._listener is None:
                listener = SpeedwireListener(await _own_addresses(hass), now)
                await listener.open()
                self._listener = listener
            self._users += 1
            return self._listener

    async def async_release(self) -> None:
        """Let go of the listener; nobody left closes it."""
        async with self._turn:
            self._users -= 1
            if self._users == 0 and self._listener is not None:
                listener, self._listener = self._listener, None
                await listener.close()


async def _own_addresses(hass: HomeAssistant) -> list[str]:
    """Return the addresses of the interfaces that Home Assistant may use."""
    return [
        address["address"]
        for adapter in await network.async_get_adapters(hass)
        if adapter["enabled"]
        for address in adapter["ipv4"]
    ]


class SpeedwireConnection(SpeakingConnection):
    """One energy meter among those that are heard."""

    def __init__(
        self,
        hass: HomeAssistant,
        driver: SpeedwireDriver,
        profile: SpeedwireProfile,
        data: Mapping[str, Any],
    ) -> None:
        """Take the meter's number."""
        super().__init__(hass, patience=_SILENCES * data[CONF_INTERVAL])
        self._driver = driver
        self._profile = profile
        self._serial = int(data[CONF_SERIAL])
        self._susy_id: int = data[CONF_SUSY_ID]
        self._listener: SpeedwireListener | None = None

    @override
    async def async_subscribe(self, heard: Heard) -> Callable[[], None]:
        if self._listener is None:
            self._listener = await self._driver.async_acquire(self._hass)
        meter = SpeedwireMeter(self._profile, self._serial, self._listener, susy_id=self._susy_id)
        return meter.listen(heard)

    @override
    async def async_close(self) -> None:
        await super().async_close()
        if self._listener is not None:
            self._listener = None
            await self._driver.async_release()
