"""Meters with a web page that a program can read."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_TOKEN,
    CONF_USERNAME,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio

from ..const import CONF_INSTANCE, CONF_SERIAL, DOMAIN
from ..driver import MeterConnection, MeterDriver, ProbeError
from ..fields import whole_number
from ..metering.candidate import Candidate
from ..metering.errors import MeterError, WrongMeterError
from ..metering.json.identification import identify_http, read_page_as
from ..metering.json.meter import HttpJsonMeter
from ..metering.json.profile import JsonProfile
from ..metering.json.schema import HTTP
from ..metering.json.web import Credentials
from ..metering.plausibility import is_plausible
from ..metering.profile import Profile
from ..metering.profile_library import ProfileLibrary
from ..metering.profile_schema import ProfileForm
from ..metering.readings import Reading
from .clock import now
from .errors import probe_error

if TYPE_CHECKING:
    from ..data import CarbonMeterConfigEntry

_PORT: Final = 80
_SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_CREDENTIALS: Final = (CONF_USERNAME, CONF_PASSWORD, CONF_TOKEN)


class HttpDriver(MeterDriver):
    """Reads JSON pages, in Home Assistant's own session."""

    key: ClassVar[str] = "http"
    name: ClassVar[str] = "HTTP (JSON)"
    forms: ClassVar[tuple[ProfileForm, ...]] = (HTTP,)
    ports: ClassVar[tuple[int, ...]] = (_PORT, 8080)
    searched: ClassVar[bool] = False

    @property
    @override
    def address_fields(self) -> Mapping[Any, Any]:
        return {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(CONF_PORT, default=_PORT): whole_number(1, 65535),
            probatio.Required(CONF_SSL, default=False): BooleanSelector(),
            probatio.Optional(CONF_USERNAME): TextSelector(),
            probatio.Optional(CONF_PASSWORD): _SECRET,
            probatio.Optional(CONF_TOKEN): _SECRET,
        }

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        return {
            CONF_HOST: user_input[CONF_HOST].strip().lower(),
            CONF_PORT: user_input[CONF_PORT],
            CONF_SSL: user_input[CONF_SSL],
            **{key: user_input[key] for key in _CREDENTIALS if user_input.get(key)},
        }

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        instance = data[CONF_INSTANCE]
        return (
            data[CONF_HOST],
            data[CONF_PORT],
            *(f"{key}={instance[key]}" for key in sorted(instance)),
        )

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        try:
            found = await identify_http(
                async_get_clientsession(hass),
                address[CONF_HOST],
                address[CONF_PORT],
                _with_pages(profiles),
                credentials=_credentials(address),
                scheme=_scheme(address),
                clock=now,
            )
        except MeterError as err:
            raise probe_error(err) from err
        except ValueError as err:
            raise ProbeError("unreachable", str(err)) from err
        if not found.candidates:
            raise ProbeError("unknown_page", "; ".join(found.seen) or "-")
        return tuple(_with_instance(candidate) for candidate in found.candidates)

    @override
    def can_try(self, profile: Profile) -> bool:
        return isinstance(profile, JsonProfile) and bool(profile.requests)

    @override
    async def async_try(
        self, hass: HomeAssistant, address: Mapping[str, Any], profile: Profile
    ) -> Candidate:
        if not isinstance(profile, JsonProfile):
            return await super().async_try(hass, address, profile)
        try:
            candidate = await read_page_as(
                async_get_clientsession(hass),
                _base_url(address),
                profile,
                credentials=_credentials(address),
                clock=now,
            )
        except (MeterError, ValueError) as err:
            raise ProbeError("model_mismatch", str(err)) from err
        # A meter without a voltage is judged by the user, who sees what it says.
        values = candidate.reading.values
        if not values or ("voltage" in values and not is_plausible(values, 1)):
            raise ProbeError("model_mismatch", "-")
        return _with_instance(candidate)

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        assert isinstance(profile, JsonProfile)  # noqa: S101  # chosen by this driver's candidate
        try:
            meter = HttpJsonMeter(
                async_get_clientsession(hass),
                profile,
                base_url=_base_url(data),
                settings=data[CONF_INSTANCE],
                credentials=_credentials(data),
                clock=now,
            )
        except ValueError as err:
            raise ConfigEntryError(
                translation_domain=DOMAIN,
                translation_key="settings_do_not_fit",
                translation_placeholders={"meter": profile.title, "error": str(err)},
            ) from err
        return HttpConnection(hass, meter, profile, data)


class HttpConnection(MeterConnection):
    """One meter behind an address."""

    def __init__(
        self,
        hass: HomeAssistant,
        meter: HttpJsonMeter,
        profile: JsonProfile,
        data: Mapping[str, Any],
    ) -> None:
        """Take what reads it, and where it is."""
        self._hass = hass
        self._meter = meter
        self._profile = profile
        self._data = data
        self._verified = False

    @property
    @override
    def absent(self) -> Collection[str]:
        return self._meter.absent

    @property
    @override
    def requests(self) -> int:
        return len(self._meter.requests)

    @override
    async def async_read(self) -> Reading:
        if not self._verified:
            await self._verify()
        try:
            return await self._meter.read()
        except MeterError:
            # Whoever answers next may be another meter: it is asked again who it is.
            self._verified = False
            raise

    async def _verify(self) -> None:
        """Make sure that the device is still the one that was configured.

        One that does not tell its number now is taken for the right one. Raises MeterError,
        WrongMeterError when it tells another.
        """
        data, serial = self._data, self._data[CONF_SERIAL]
        if serial:
            found = await identify_http(
                async_get_clientsession(self._hass),
                data[CONF_HOST],
                data[CONF_PORT],
                [self._profile],
                credentials=_credentials(data),
                scheme=_scheme(data),
                clock=now,
            )
            told = {each.serial for each in found.candidates if each.serial}
            if told and serial not in told:
                raise WrongMeterError(expected=serial, found=", ".join(sorted(told)))
        self._verified = True


def _with_pages(profiles: ProfileLibrary) -> list[JsonProfile]:
    return [profile for profile in profiles.of(JsonProfile).values() if profile.requests]


def _with_instance(candidate: Candidate) -> Candidate:
    """Return a candidate whose settings have a place of their own in the meter's data."""
    return replace(candidate, settings={CONF_INSTANCE: dict(candidate.settings)})


def _credentials(address: Mapping[str, Any]) -> Credentials | None:
    given = {key: address[key] for key in _CREDENTIALS if address.get(key)}
    return Credentials(**given) if given else None


def _scheme(address: Mapping[str, Any]) -> str:
    return "https" if address[CONF_SSL] else "http"


def _base_url(address: Mapping[str, Any]) -> str:
    host = address[CONF_HOST]
    named = f"[{host}]" if ":" in host else host
    return f"{_scheme(address)}://{named}:{address[CONF_PORT]}"
