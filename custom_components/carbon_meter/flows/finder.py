"""What a flow has found out about an address so far."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant

from ..driver import MeterDriver, ProbeError
from ..libraries import async_get_libraries
from ..metering.candidate import Candidate
from .meter_form import choice_key, live_values


class MeterFinder:
    """Asks one address by one driver, and keeps what came of it for the forms."""

    def __init__(self, hass: HomeAssistant, driver: MeterDriver) -> None:
        """Start without an address."""
        self._hass = hass
        self.driver = driver
        self.address: Mapping[str, Any] = {}
        self.candidates: tuple[Candidate, ...] = ()
        self.errors: dict[str, str] = {}
        self.detail = ""

    async def async_ask(self, user_input: Mapping[str, Any]) -> bool:
        """Ask the address in a form's input; return whether there is something to confirm."""
        self.errors, self.detail = {}, ""
        self.address = self.driver.address(user_input)
        # Not all that is asked for is kept: for how long to listen is for now only.
        asked = {str(key) for key in self.driver.address_fields} & user_input.keys()
        now_only = {key: user_input[key] for key in asked}
        libraries = await async_get_libraries(self._hass)
        try:
            self.candidates = await self.driver.async_probe(
                self._hass, {**now_only, **self.address}, libraries.profiles
            )
        except ProbeError as err:
            self._fail(err)
            return False
        return True

    async def async_try(self, user_input: Mapping[str, Any], profile_id: str) -> bool:
        """Read the address as a model that the user names; return whether that makes sense."""
        self.errors, self.detail = {}, ""
        self.address = self.driver.address(user_input)
        self.candidates = ()
        candidate = await self.async_choose(profile_id)
        if candidate is not None:
            self.candidates = (candidate,)
        return candidate is not None

    async def async_choose(self, choice: str) -> Candidate | None:
        """Return the meter that the user chose, None where it cannot be that one."""
        self.errors, self.detail = {}, ""
        for candidate in self.candidates:
            if choice_key(candidate) == choice:
                return candidate
        libraries = await async_get_libraries(self._hass)
        profile = libraries.profiles.profiles.get(choice.partition("@")[0])
        if profile is None or not self.driver.can_try(profile):
            self.errors = {"base": "model_mismatch"}
            return None
        try:
            return await self.driver.async_try(self._hass, self.address, profile)
        except ProbeError as err:
            self._fail(err)
            return None

    @property
    def confirm_step(self) -> str:
        """Return the form for what was found: proved, only likely, or never seen by anybody."""
        best = self.candidates[0]
        if not best.profile.confirmed:
            return "unconfirmed"
        return "confirm" if best.certain else "likely"

    def _fail(self, err: ProbeError) -> None:
        self.errors = {"base": err.key}
        self.detail = err.detail

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what the forms say of the address."""
        placeholders = {"protocol": self.driver.name, "detail": self.detail or "-"}
        if self.candidates:
            best = self.candidates[0]
            placeholders |= {
                "meter": best.name,
                "values": live_values(best),
                "count": str(len(self.candidates)),
            }
        return placeholders
