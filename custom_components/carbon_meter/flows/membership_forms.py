"""Forms of a membership: what a household chooses, and how what leaves the home is shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    FileSelector,
    FileSelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util
import probatio

from ..community.authority.invitation import Invitation
from ..community.contract.message import Flow, Level
from ..community.member.agreed import DAY, Agreed
from ..community.member.outgoing import Outgoing
from ..const import DOMAIN
from ..membership.keys import CONF_DURATION, CONF_FLOWS, CONF_LEVEL
from ..membership.words import PRESENT

CONF_AGREED: Final = "agreed"
CONF_CONFIRM: Final = "confirm"
CONF_FILE: Final = "invitation_file"
CONF_INVITATION: Final = "invitation"

_HOUR: Final = 3600
_PERIODS: Final = {"hour": _HOUR, "day": DAY}
"""What a site can tell; the choice goes by these names."""

_LARGEST: Final = 65536
"""Bytes of a file that may be an invitation."""

_SHOWN: Final = 5
"""Messages that are shown in a form; the sensor and the live view have more."""


def invitation_schema() -> probatio.Schema:
    """Return the form in which an invitation is given: as a file, or as text."""
    accept = FileSelectorConfig(accept=".json,.txt,application/json,text/plain")
    return probatio.Schema(
        {
            probatio.Optional(CONF_FILE): FileSelector(accept),
            probatio.Optional(CONF_INVITATION): TextSelector(TextSelectorConfig(multiline=True)),
        }
    )


async def async_text_of(hass: HomeAssistant, user_input: Mapping[str, Any]) -> str | None:
    """Return the text of an invitation that was given one way or the other; None for neither."""
    if (file_id := user_input.get(CONF_FILE)) is not None:
        return await hass.async_add_executor_job(_read, hass, file_id)
    text: str = user_input.get(CONF_INVITATION, "").strip()
    return text or None


def _read(hass: HomeAssistant, file_id: str) -> str:
    """Return the beginning of a file that was uploaded, whatever it holds; it is gone then."""
    try:
        with process_uploaded_file(hass, file_id) as path:
            return _beginning(path)
    except ValueError:
        return ""


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8-sig", errors="replace")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a household can choose from: what its community asks for, as far as it has it."""

    community: str
    name: str
    home: str
    """By which messages name it."""

    level: Level
    """That shows the most."""

    shortest: int
    """Seconds of the shortest period."""

    flows: tuple[Flow, ...]
    present: Agreed | None = None
    """What holds now; None before anything was agreed to."""


def choices_schema(wanted: Wanted) -> probatio.Schema:
    """Return the form in which a household chooses what it shows.

    Preselected is what holds now, else the pseudonym and all that is asked for.
    """
    fields: dict[Any, Any] = {}
    present = wanted.present
    if wanted.level is Level.CLEAR:
        level = Level.PSEUDONYM if present is None else present.level
        fields[probatio.Required(CONF_LEVEL, default=level.value)] = _select(
            [one.value for one in (Level.PSEUDONYM, Level.CLEAR)], "membership_level"
        )
    periods = [name for name, seconds in _PERIODS.items() if seconds >= wanted.shortest]
    if len(periods) > 1:
        period = periods[0] if present is None else _period_name(present.duration)
        fields[probatio.Required(CONF_DURATION, default=period)] = _select(
            periods, "membership_period"
        )
    preselected = [one for one in wanted.flows if present is None or one in present.flows]
    fields[probatio.Required(CONF_FLOWS, default=[one.value for one in preselected])] = _select(
        [flow.value for flow in wanted.flows], "membership_flow", multiple=True
    )
    return probatio.Schema(fields)


def agreed_in(user_input: Mapping[str, Any], shortest: int) -> Agreed:
    """Return what was chosen."""
    level = Level(user_input.get(CONF_LEVEL, Level.PSEUDONYM))
    longest = max(shortest, _HOUR)
    wanted = set(user_input[CONF_FLOWS])
    return Agreed(
        text=PRESENT[level],
        level=level,
        duration=_PERIODS[user_input[CONF_DURATION]] if CONF_DURATION in user_input else longest,
        flows=tuple(flow for flow in Flow if flow.value in wanted),
    )


def agreed_schema() -> probatio.Schema:
    """Return the form in which somebody agrees."""
    return probatio.Schema({probatio.Required(CONF_AGREED, default=False): BooleanSelector()})


def confirm_schema() -> probatio.Schema:
    """Return the form in which somebody confirms."""
    return probatio.Schema({probatio.Required(CONF_CONFIRM, default=False): BooleanSelector()})


def _select(options: list[str], key: str, *, multiple: bool = False) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options,
            translation_key=key,
            multiple=multiple,
            mode=SelectSelectorMode.LIST,
        )
    )


def _period_name(duration: int) -> str:
    return "day" if duration >= DAY else "hour"


async def async_told(hass: HomeAssistant, key: str, values: Iterable[str]) -> str:
    """Return the names of choices as one text, in the language of Home Assistant."""
    texts = await async_get_translations(hass, hass.config.language, "selector", {DOMAIN})
    path = f"component.{DOMAIN}.selector.{key}.options"
    return ", ".join(texts.get(f"{path}.{value}", value) for value in values)


async def async_asked(hass: HomeAssistant, invitation: Invitation) -> dict[str, str]:
    """Return what an invitation says, for people."""
    broker = invitation.broker
    period = _period_name(invitation.duration)
    return {
        "community": invitation.name,
        "broker": "Home Assistant MQTT" if broker is None else f"{broker.host}:{broker.port}",
        "level": await async_told(hass, "membership_level", [invitation.level.value]),
        "period": await async_told(hass, "membership_period", [period]),
        "flows": await async_told(
            hass, "membership_flow", [flow.value for flow in invitation.flows]
        ),
        "expires": moment(invitation.expires),
    }


def moment(seconds: float | None) -> str:
    """Return a moment in local time, a dash for none and for one beyond all calendars."""
    if seconds is None:
        return "-"
    try:
        local = dt_util.as_local(datetime.fromtimestamp(seconds, UTC))
    except ValueError, OverflowError, OSError:
        return "-"
    return local.strftime("%Y-%m-%d %H:%M:%S")


def shown(payload: str) -> str:
    """Return a message as a block of indented JSON."""
    return f"```json\n{json.dumps(json.loads(payload), indent=1)}\n```"


def shown_messages(messages: Sequence[Outgoing]) -> str:
    """Return the last messages, the newest first: when they left, whether they have arrived."""
    rows = [
        f"{moment(one.at)} → {_arrival(one)}\n\n`{one.topic}`\n\n{shown(one.payload)}"
        for one in reversed(messages[-_SHOWN:])
    ]
    return "\n\n".join(rows) or "-"


def _arrival(one: Outgoing) -> str:
    if one.refused is not None:
        return f"✗ {one.refused}"
    return f"✓ {moment(one.acknowledged_at)}" if one.acknowledged_at is not None else "…"
