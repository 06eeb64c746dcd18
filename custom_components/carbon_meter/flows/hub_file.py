"""The steps that take a hub file, uploaded or pasted, and try what it says."""

from abc import abstractmethod
import asyncio
from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowHandler
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.util import dt as dt_util
import probatio

from ..community.authority.hub_file import HubFile, HubFileError, read_hub_file
from ..hub_entry.keys import CONF_FILE, CONF_TEXT
from ..hub_entry.trial import TrialError, try_broker
from .progress import visibly

_LARGEST: Final = 100_000
"""Bytes; a hub file has some thousands."""

HUB_FILE_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional(CONF_FILE): FileSelector(FileSelectorConfig(accept=".json,.txt")),
        probatio.Optional(CONF_TEXT): TextSelector(TextSelectorConfig(multiline=True)),
    }
)


class HubFileForm:
    """What was given of a hub file; after `async_read` it is there, or an error is."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing."""
        self._hass = hass
        self._trial: asyncio.Task[None] | None = None
        self.text = ""
        self.hub_file: HubFile | None = None

    async def async_read(self, user_input: dict[str, Any]) -> dict[str, str]:
        """Read what was uploaded, else what was pasted; return the errors of the form."""
        self.hub_file, self._trial = None, None
        text = user_input.get(CONF_TEXT, "").strip()
        if uploaded := user_input.get(CONF_FILE):
            try:
                text = await self._hass.async_add_executor_job(_uploaded, self._hass, uploaded)
            except ValueError, OSError:
                return {CONF_FILE: "hub_file_unreadable"}
        if not text:
            return {"base": "hub_file_needed"}
        try:
            self.hub_file = await self._hass.async_add_executor_job(
                read_hub_file, text, dt_util.utcnow().timestamp()
            )
        except HubFileError as err:
            return {CONF_FILE if uploaded else CONF_TEXT: f"hub_file_{err.reason}"}
        self.text = text
        return {}

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what is told of the broker, and of what is in the way."""
        broker = self.hub_file.broker if self.hub_file is not None else None
        return {
            "host": "-" if broker is None else broker.host,
            "port": "-" if broker is None else str(broker.port),
            "detail": "-" if self.error is None else self.error.detail,
        }

    @property
    def trial(self) -> asyncio.Task[None]:
        """Return the running trial; one that has failed is made again."""
        hub_file = self.hub_file
        assert hub_file is not None  # noqa: S101  # the form comes first

        async def run() -> None:
            await self._hass.async_add_executor_job(try_broker, hub_file)

        if self._trial is None:
            self._trial = self._hass.async_create_task(
                visibly(run()), "try the broker of a community", eager_start=False
            )
        return self._trial

    @property
    def error(self) -> TrialError | None:
        """Return why the trial has failed, None while nothing is known against the broker."""
        if self._trial is None or not self._trial.done():
            return None
        error = self._trial.exception()
        if error is None or isinstance(error, TrialError):
            return error
        raise error

    def again(self) -> None:
        """Forget the trial, so that it is made anew."""
        self._trial = None


class HubFileSteps(FlowHandler[Any, Any, Any]):
    """From a hub file to a broker that has answered; the flow says what comes then."""

    _hub_form: HubFileForm

    @abstractmethod
    async def async_objection(self, hub_file: HubFile) -> str | None:
        """Return the key of the error where a file is not for this flow, None where it is."""

    @abstractmethod
    async def async_step_hub_connected(self, user_input: dict[str, Any] | None = None) -> Any:
        """Go on with a file that was tried."""

    async def async_step_hub_file(self, user_input: dict[str, Any] | None = None) -> Any:
        """Take the hub file that `scripts/broker` has made."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._hub_form = HubFileForm(self.hass)
            errors = await self._hub_form.async_read(user_input)
            if self._hub_form.hub_file is not None:
                objection = await self.async_objection(self._hub_form.hub_file)
                if objection is None:
                    return await self.async_step_hub_connect()
                errors["base"] = objection
        return self.async_show_form(step_id="hub_file", data_schema=HUB_FILE_SCHEMA, errors=errors)

    async def async_step_hub_connect(self, user_input: dict[str, Any] | None = None) -> Any:
        """Connect to the broker, to see whether it is there and knows the hub."""
        trial = self._hub_form.trial
        if trial.done():
            failed = self._hub_form.error is not None
            return self.async_show_progress_done(
                next_step_id="hub_trouble" if failed else "hub_connected"
            )
        return self.async_show_progress(
            step_id="hub_connect",
            progress_action="connecting_hub",
            progress_task=trial,
            description_placeholders=self._hub_form.placeholders,
        )

    async def async_step_hub_trouble(self, user_input: dict[str, Any] | None = None) -> Any:
        """Say what is in the way and what to do; then try again."""
        error = self._hub_form.error
        if user_input is not None or error is None:
            self._hub_form.again()
            return await self.async_step_hub_connect()
        return self.async_show_form(
            step_id="hub_trouble",
            data_schema=probatio.Schema({}),
            errors={"base": error.trouble.value},
            description_placeholders=self._hub_form.placeholders,
        )


def _uploaded(hass: HomeAssistant, file_id: str) -> str:
    """Return the text of an uploaded file; raises ValueError for what is no text."""
    with process_uploaded_file(hass, file_id) as path:
        if path.stat().st_size > _LARGEST:
            raise ValueError("too large")
        return path.read_text(encoding="utf-8").strip()
