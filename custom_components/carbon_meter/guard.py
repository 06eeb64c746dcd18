"""A wall around the driver of another integration: its mistakes stay with its own meters.

What it raises beyond what drivers may raise becomes an error that the flows and the site
know, what takes for ever is given up, and no reading with impossible contents comes through.
"""

import asyncio
from collections.abc import Awaitable, Hashable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
import probatio

from .const import DOMAIN, LOGGER
from .datafile import DataFile, DataFileError
from .driver import Find, MeterConnection, MeterDriver, ProbeError, Progress
from .drivers.errors import probe_error
from .guarded_connection import GuardedConnection, as_meter_error
from .metering.candidate import Candidate
from .metering.errors import MeterError
from .metering.profile import Profile
from .metering.profile_library import ProfileLibrary
from .metering.profile_schema import COMMON_FIELDS, ProfileForm
from .metering.quantities import QUANTITIES

if TYPE_CHECKING:
    from .data import CarbonMeterConfigEntry

_PROBE_LIMIT: Final = 120.0
"""Seconds for finding out what is at an address, which somebody waits for."""

_OPEN_LIMIT: Final = 30.0
"""Seconds for opening a meter, which does not have to ask it."""


def guarded(driver: MeterDriver) -> MeterDriver:
    """Return a driver that does what this one does, and no harm.

    Raises whatever comes of attributes that are not what a driver has.
    """
    forms = tuple(_guarded_form(form) for form in driver.forms)
    names = {
        "key": driver.key,
        "name": driver.name,
        "forms": forms,
        "ports": tuple(int(port) for port in driver.ports),
        "answers_calls": bool(driver.answers_calls),
        "searched": bool(driver.searched),
    }
    wrapped: MeterDriver = type("Guarded", (_GuardedDriver,), names)(driver)
    return wrapped


def _guarded_form(form: ProfileForm) -> ProfileForm:
    """Return a form whose mistakes are those of the file that it is to read."""

    def build(file: DataFile, arguments: Mapping[str, Any]) -> Profile:
        try:
            profile = form.build(file, arguments)
            unknown = sorted(set(profile.quantities) - set(QUANTITIES))
        except DataFileError:
            raise
        except Exception as err:
            raise file.error(_unreadable(form, err)) from err
        if unknown:
            raise file.error(f"not quantities: {', '.join(unknown)}")
        return profile

    return _GuardedForm(protocol=form.protocol, fields=form.fields, build=build)


class _GuardedForm(ProfileForm):
    """Checks as the form that it stands for."""

    @cached_property
    @override
    def schema(self) -> probatio.Schema:
        def check(document: Any) -> Any:
            try:
                return probatio.Schema({**COMMON_FIELDS, **self.fields})(document)
            except probatio.Invalid:
                raise
            except Exception as err:
                raise probatio.Invalid(_unreadable(self, err)) from err

        return probatio.Schema(check)


def _unreadable(form: ProfileForm, err: Exception) -> str:
    return f"the protocol {form.protocol} cannot read the file: {type(err).__name__}: {err}"


class _GuardedDriver(MeterDriver):
    """Passes everything on."""

    def __init__(self, driver: MeterDriver) -> None:
        self._driver = driver

    def _tell(self, what: str) -> None:
        """Log the exception in hand."""
        LOGGER.exception("The driver %s failed to %s", self.key, what)

    @property
    @override
    def address_fields(self) -> Mapping[Any, Any]:
        try:
            return dict(self._driver.address_fields)
        except Exception:  # noqa: BLE001  # whatever it is, the other protocols can be chosen
            self._tell("name its address fields")
            return {}

    @override
    def address(self, user_input: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return dict(self._driver.address(user_input))
        except Exception:  # noqa: BLE001  # the question that follows fails, and says so
            self._tell("take an address")
            return {}

    @override
    def place(self, data: Mapping[str, Any]) -> Hashable:
        try:
            place = self._driver.place(data)
            hash(place)
        except Exception:  # noqa: BLE001  # other meters are compared with this one
            self._tell("say where a meter is")
            return repr(sorted(data.items()))
        return place

    @override
    async def async_probe(
        self, hass: HomeAssistant, address: Mapping[str, Any], profiles: ProfileLibrary
    ) -> tuple[Candidate, ...]:
        async def ask() -> tuple[object, ...]:
            return tuple(await self._driver.async_probe(hass, address, profiles))

        found = await self._asked(ask())
        if not found:
            raise ProbeError("unknown_model", "-")
        return tuple(self._checked(address, candidate) for candidate in found)

    @override
    async def async_search(
        self,
        hass: HomeAssistant,
        host: str,
        port: int,
        profiles: ProfileLibrary,
        *,
        every_unit: bool,
        progress: Progress,
    ) -> tuple[Find, ...]:
        async def search() -> tuple[Find, ...]:
            return await self._driver.async_search(
                hass, host, port, profiles, every_unit=every_unit, progress=progress
            )

        return await self._found(search())

    @override
    async def async_call(self, hass: HomeAssistant, profiles: ProfileLibrary) -> tuple[Find, ...]:
        async def call() -> tuple[Find, ...]:
            return await self._driver.async_call(hass, profiles)

        return await self._found(call())

    @override
    async def async_recognise(
        self, hass: HomeAssistant, topic: str, payload: bytes, profiles: ProfileLibrary
    ) -> tuple[Find, ...]:
        async def recognise() -> tuple[Find, ...]:
            return await self._driver.async_recognise(hass, topic, payload, profiles)

        return await self._found(recognise())

    @override
    async def async_first_reading(self, hass: HomeAssistant, candidate: Candidate) -> Candidate:
        async def ask() -> object:
            return await self._driver.async_first_reading(hass, candidate)

        try:
            return self._checked({}, await self._asked(ask()))
        except ProbeError:
            return candidate

    @override
    def profile(self, data: Mapping[str, Any], profiles: ProfileLibrary) -> Profile | None:
        try:
            profile = self._driver.profile(data, profiles)
        except Exception:  # noqa: BLE001  # the meter is left out, and it is told why
            self._tell("name the profile of a meter")
            return None
        known = isinstance(profile, Profile) and set(profile.quantities) <= set(QUANTITIES)
        return profile if known else None

    async def _found(self, search: Awaitable[tuple[Find, ...]]) -> tuple[Find, ...]:
        """Return what a search of the network has found; nothing where the driver fails."""
        try:
            return tuple(self._checked_find(find) for find in await search)
        except Exception:  # noqa: BLE001  # the search goes on with the other protocols
            self._tell("search the network")
            return ()

    def _checked_find(self, find: Find) -> Find:
        """Return an address with candidates that can be kept; raises whatever is wrong."""
        address, candidates = find
        return dict(address), tuple(self._checked(address, each) for each in candidates)

    @override
    def can_try(self, profile: Profile) -> bool:
        try:
            return bool(self._driver.can_try(profile))
        except Exception:  # noqa: BLE001  # the models that were found can still be chosen
            self._tell("say whether it can try a profile")
            return False

    @override
    async def async_try(
        self, hass: HomeAssistant, address: Mapping[str, Any], profile: Profile
    ) -> Candidate:
        async def ask() -> object:
            return await self._driver.async_try(hass, address, profile)

        return self._checked(address, await self._asked(ask()))

    async def _asked[T](self, answer: Awaitable[T]) -> T:
        """Return what a driver found out; raises nothing but ProbeError."""
        try:
            async with asyncio.timeout(_PROBE_LIMIT):
                return await answer
        except ProbeError:
            raise
        except HomeAssistantError as err:
            raise ProbeError("unknown", str(err)) from err
        except Exception as err:
            error = as_meter_error(err)
            if type(error) is MeterError:
                self._tell("find out what is at an address")
            raise probe_error(error) from err

    def _checked(self, address: Mapping[str, Any], candidate: object) -> Candidate:
        """Return a candidate that can be kept."""
        if not isinstance(candidate, Candidate):
            raise ProbeError("unknown", f"{self.key}: {candidate!r} is not a Candidate")
        try:
            # What cannot be stored would keep every integration from being stored.
            json_bytes([address, candidate.settings])
        except TypeError as err:
            raise ProbeError("unknown", f"{self.key}: {err}") from err
        return candidate

    @override
    async def async_open(
        self,
        hass: HomeAssistant,
        entry: CarbonMeterConfigEntry,
        data: Mapping[str, Any],
        profile: Profile,
    ) -> MeterConnection:
        try:
            async with asyncio.timeout(_OPEN_LIMIT):
                connection = await self._driver.async_open(hass, entry, data, profile)
        except HomeAssistantError:
            raise
        except Exception as err:  # noqa: BLE001  # the site's other meters are opened
            self._tell("open a meter")
            self._give_up(as_meter_error(err), err)
        if not isinstance(connection, MeterConnection):
            self._give_up(f"{connection!r} is not a MeterConnection")
        return GuardedConnection(connection, self.key, profile)

    def _give_up(self, error: object, cause: Exception | None = None) -> NoReturn:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="driver_failed",
            translation_placeholders={"driver": self.name, "error": str(error)},
        ) from cause
