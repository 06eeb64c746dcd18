"""DL/T 645-2007 meters on a serial line behind a TCP gateway."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.const import CONF_ADDRESS, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.selector import TextSelector
import probatio

from ..const import DOMAIN
from ..driver import MeterConnection, MeterDriver, ProbeError
from ..fields import whole_number
from ..metering.candidate import Candidate
from ..metering.dlt645.frames import is_address
from ..metering.dlt645.identification import identify_dlt645, identify_dlt645_at
from ..metering.dlt645.line import Dlt645Line
from ..metering.dlt645.meter import Dlt645Meter
from ..metering.dlt645.profile import Dlt645Profile
from ..metering.dlt645.schema import DLT645
from ..metering.errors import MeterError
from ..metering.profile import Profile
from ..metering.profile_library import ProfileLibrary
from ..metering.profile_schema import ProfileForm
from ..metering.readings import Reading
from .clock import now
from .errors import probe_error

if TYPE_CHECKING:
    from ..data import CarbonMeterConfigEntry

_PORT: Final = 8899
"""What many serial gateways listen on as they are sold."""


@dataclass(kw_only=True)
class _SharedLine:
    """A line and how many use it."""

    line: Dlt645Line
    users: int = 0


class Dlt645Driver(MeterDriver):
    """Asks meters by their twelve digits; all behind one gateway share its line."""

    key: ClassVar[str] = "dlt645"
    name: ClassVar[str] = "DL/T 645-2007"
    forms: ClassVar[tuple[ProfileForm, ...]] = (DLT645,)
    ports: ClassVar[tuple[int, ...]] = (_PORT, 4001, 20108)
    searched: ClassVar[bool] = False

    def __init__(self) -> None:
        """Know no line yet."""
        self._lines: dict[tuple[str, int], _SharedLine] = {}

    @property
    @override
    def address_fields(self) -> Mapping[Any, Any]:
        return {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(CONF_PORT, default=_PORT): whole_number(1, 65535),
            probatio.Optional(CONF_ADDRESS, default=""): TextSelector(),
        }

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        return {
            CONF_HOST: user_input[CONF_HOST].strip().lower(),
            CONF_PORT: user_input[CONF_PORT],
            CONF_ADDRESS: user_input.get(CONF_ADDRESS, "").strip(),
        }

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        return data[CONF_HOST], data[CONF_PORT], data[CONF_ADDRESS]

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        wanted = address[CONF_ADDRESS]
        if wanted and not is_address(wanted):
            raise ProbeError("not_an_address", wanted)
        known = profiles.of(Dlt645Profile).values()
        line = self.acquire(address)
        try:
            if not wanted:
                found = await identify_dlt645(line, known, now)
                candidates, seen = found.candidates, found.seen
            else:
                candidates, seen = await identify_dlt645_at(line, known, wanted, now), ()
        except MeterError as err:
            raise probe_error(err) from err
        finally:
            await self.async_release(address)
        if not candidates:
            raise ProbeError("unknown_model", "; ".join(seen) or "-")
        return candidates

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        assert isinstance(profile, Dlt645Profile)  # noqa: S101  # chosen by this driver's candidate
        if not is_address(data[CONF_ADDRESS]):
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="settings_do_not_fit",
                translation_placeholders={"meter": profile.title, "error": data[CONF_ADDRESS]},
            )
        return Dlt645Connection(self, profile, data)

    def acquire(self, data: Mapping[str, Any]) -> Dlt645Line:
        """Return the line to a gateway; each user releases it in the end."""
        key = data[CONF_HOST], data[CONF_PORT]
        shared = self._lines.setdefault(key, _SharedLine(line=Dlt645Line(*key)))
        shared.users += 1
        return shared.line

    async def async_release(self, data: Mapping[str, Any]) -> None:
        """Let go of a line; nobody left hangs up."""
        key = data[CONF_HOST], data[CONF_PORT]
        shared = self._lines[key]
        shared.users -= 1
        if shared.users == 0:
            del self._lines[key]
            await shared.line.close()


class Dlt645Connection(MeterConnection):
    """One meter on a line."""

    def __init__(
        self, driver: Dlt645Driver, profile: Dlt645Profile, data: Mapping[str, Any]
    ) -> None:
        """Take the meter's place."""
        self._driver = driver
        self._data = data
        self._meter = Dlt645Meter(driver.acquire(data), profile, data[CONF_ADDRESS], now)

    @property
    @override
    def absent(self) -> Collection[str]:
        return self._meter.absent

    @property
    @override
    def requests(self) -> int:
        return self._meter.questions

    @override
    async def async_read(self) -> Reading:
        return await self._meter.read()

    @override
    async def async_close(self) -> None:
        await self._driver.async_release(self._data)
