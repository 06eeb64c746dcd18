"""What it takes to read the meters of one protocol in Home Assistant.

A driver finds out what answers at an address and opens a connection to a meter that has
been configured. Packaged drivers and those of plugins are used in the same way.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
import probatio

from .const import CONF_PROFILE
from .metering.candidate import Candidate
from .metering.errors import MeterError
from .metering.profile import Profile
from .metering.profile_library import ProfileLibrary
from .metering.profile_schema import ProfileForm
from .metering.readings import Reading

if TYPE_CHECKING:
    from .data import CarbonMeterConfigEntry

type Heard = Callable[[Reading], None]
"""What a meter that speaks by itself calls with each reading."""

type Lost = Callable[[MeterError], None]
"""What it calls when it has fallen silent, once."""

type Find = tuple[Mapping[str, Any], tuple[Candidate, ...]]
"""An address, and the meters that may be what answers there, the best guess first."""

type Progress = Callable[[float], None]
"""What a search calls with the part of it that is done, from 0 to 1."""


class ProbeError(Exception):
    """There is no meter to be had at the address; `key` is the error's translation."""

    def __init__(self, key: str, detail: str) -> None:
        """Keep what the form shows."""
        super().__init__(detail)
        self.key = key
        self.detail = detail


class MeterConnection(ABC):
    """A configured meter, as long as its site is loaded."""

    @property
    def absent(self) -> Collection[str]:
        """Return the quantities of the profile that this meter turned out not to have."""
        return ()

    @property
    def requests(self) -> int:
        """Return how many requests one full reading takes; 0 for a meter that is not asked."""
        return 0

    @abstractmethod
    async def async_read(self) -> Reading:
        """Return a reading of now.

        A meter that speaks by itself is waited for. Raises MeterError; WrongMeterError when
        another meter answers.
        """

    @property
    def speaks(self) -> bool:
        """Return whether the meter sends readings by itself: it is then listened to."""
        return False

    def async_listen(self, heard: Heard, lost: Lost) -> Callable[[], None]:
        """Call back with each reading, and with an error when none comes any more.

        Returns how to stop. Only of a meter that `speaks`.
        """
        raise TypeError(f"{type(self).__name__} has to be asked")

    @property
    def details(self) -> Mapping[str, Any]:
        """Return what diagnostics show of the connection."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart, as JSON; it is stored along with the account."""
        return {}

    def restore(self, data: Mapping[str, Any]) -> None:  # noqa: B027  # most know nothing
        """Take what `as_dict` returned before a restart, before anything is read."""

    async def async_close(self) -> None:  # noqa: B027  # most have nothing to let go
        """Let go of what was opened."""


class MeterDriver(ABC):
    """How to find and read the meters of one protocol."""

    key: ClassVar[str]
    """What is kept with each meter; the name of the protocol in translations."""

    name: ClassVar[str]
    """What the protocol is called where there is no translation."""

    forms: ClassVar[tuple[ProfileForm, ...]] = ()
    """The kinds of profile files that it reads."""

    ports: ClassVar[tuple[int, ...]] = ()
    """TCP ports that such meters listen on: a search of the network knocks at them."""

    answers_calls: ClassVar[bool] = False
    """Whether all such meters of a network answer one call; see `async_call`."""

    searched: ClassVar[bool] = True
    """Whether a search of the network includes the protocol unless the user says otherwise."""

    @property
    def address_fields(self) -> Mapping[Any, Any]:
        """Return the form that asks for an address; empty where none can be typed."""
        return {}

    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is kept of an address out of a form's input or a meter's data."""
        return {str(key): user_input[str(key)] for key in self.address_fields}

    @abstractmethod
    def place(self, data: Mapping[str, Any]) -> Hashable:
        """Return where a meter is, out of its data: two meters are never at one place."""

    @abstractmethod
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        """Return the meters that answer at an address, the best guess first; at least one.

        Raises ProbeError with what was seen when there is none.
        """

    async def async_search(  # noqa: PLR0913  # what there is to say of a search
        self,
        hass: HomeAssistant,
        host: str,
        port: int,
        profiles: ProfileLibrary,
        *,
        every_unit: bool,
        progress: Progress,
    ) -> tuple[Find, ...]:
        """Return the meters behind an open TCP port; none where it is something else.

        Of a bus behind the port, `every_unit` asks for all of its addresses instead of the
        usual ones.
        """
        schema = probatio.Schema(dict(self.address_fields), extra=probatio.REMOVE_EXTRA)
        address = self.address(schema({CONF_HOST: host, CONF_PORT: port}))
        try:
            return ((address, await self.async_probe(hass, address, profiles)),)
        except ProbeError:
            return ()

    async def async_call(self, hass: HomeAssistant, profiles: ProfileLibrary) -> tuple[Find, ...]:
        """Return the meters of the local network that answer a multicast call."""
        return ()

    async def async_recognise(
        self, hass: HomeAssistant, topic: str, payload: bytes, profiles: ProfileLibrary
    ) -> tuple[Find, ...]:
        """Return the meters that a message on the home's MQTT broker announces.

        Called with every such message: nothing is asked or waited for.
        """
        return ()

    async def async_first_reading(self, hass: HomeAssistant, candidate: Candidate) -> Candidate:
        """Return a meter that has been announced, with what it says now."""
        return candidate

    def profile(self, data: Mapping[str, Any], profiles: ProfileLibrary) -> Profile | None:
        """Return the profile of a configured meter, None where there is none any more."""
        return profiles.profiles.get(data[CONF_PROFILE])

    def can_try(self, profile: Profile) -> bool:
        """Return whether the user may choose this profile against the identification."""
        return False

    async def async_try(
        self, hass: HomeAssistant, address: Mapping[str, Any], profile: Profile
    ) -> Candidate:
        """Return the meter as read by a profile that the user chose.

        Raises ProbeError when the values do not look like a meter.
        """
        raise ProbeError("model_mismatch", profile.title)

    @abstractmethod
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        """Return the connection to a configured meter; nothing has to be asked yet.

        `data` is what is kept of the meter. Raises HomeAssistantError when it cannot be
        opened as configured.
        """
