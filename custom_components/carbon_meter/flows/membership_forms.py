"""Forms of a membership: how an invitation is given, and what a household chooses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
import probatio

from ..community.authority.invitation import Invitation
from ..community.contract.message import Flow, Level
from ..community.member.agreed import DAY, Agreed
from ..const import DOMAIN
from ..membership.keys import CONF_DURATION, CONF_FLOWS, CONF_LEVEL
from ..membership.words import present
from .membership_messages import moment

CONF_AGREED: Final = "agreed"
CONF_CONFIRM: Final = "confirm"
CONF_FILE: Final = "invitation_file"
CONF_INVITATION: Final = "invitation"

_HOUR: Final = 3600
_PERIODS: Final = {"hour": _HOUR, "day": DAY}
"""What a site can tell; the choice goes by these names."""

_LARGEST: Final = 65536
"""Bytes of a file that may be an invitation."""


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
    own_broker: bool
    """Whether it is on the broker of a Home Assistant: names do not change there."""

    is_hub: bool = False
    """Whether it is a hub that is or wants to be a member."""

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
            [one.value for one in (Level.PSEUDONYM, Level.CLEAR)], level_key(wanted)
        )
    periods = [name for name, seconds in _PERIODS.items() if seconds >= wanted.shortest]
    if len(periods) > 1:
        period = periods[0] if present is None else _period_name(present.duration)
        fields[probatio.Required(CONF_DURATION, default=period)] = _select(
            periods, period_key(wanted)
        )
    preselected = [one for one in wanted.flows if present is None or one in present.flows]
    fields[probatio.Required(CONF_FLOWS, default=[one.value for one in preselected])] = _select(
        [flow.value for flow in wanted.flows], "membership_flow", multiple=True
    )
    return probatio.Schema(fields)


def agreed_in(user_input: Mapping[str, Any], offered: Wanted) -> Agreed:
    """Return what was chosen."""
    level = Level(user_input.get(CONF_LEVEL, Level.PSEUDONYM))
    longest = max(offered.shortest, _HOUR)
    wanted = set(user_input[CONF_FLOWS])
    return Agreed(
        text=present(level, own_broker=offered.own_broker, is_hub=offered.is_hub),
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


def level_key(wanted: Wanted) -> str:
    """Return the key of the names of levels."""
    who = "hub_member" if wanted.is_hub else "membership"
    return f"{who}_level_own_broker" if wanted.own_broker else f"{who}_level"


def period_key(wanted: Wanted) -> str:
    """Return the key of the names of periods."""
    return "hub_member_period" if wanted.is_hub else "membership_period"


def _period_name(duration: int) -> str:
    return "day" if duration >= DAY else "hour"


async def async_told(hass: HomeAssistant, key: str, values: Iterable[str]) -> str:
    """Return the names of choices as one text, in the language of Home Assistant."""
    texts = await async_get_translations(hass, hass.config.language, "selector", {DOMAIN})
    path = f"component.{DOMAIN}.selector.{key}.options"
    separator = "、" if hass.config.language.startswith("zh") else ", "
    return separator.join(texts.get(f"{path}.{value}", value) for value in values)


async def async_asked(
    hass: HomeAssistant, invitation: Invitation, wanted: Wanted
) -> dict[str, str]:
    """Return what an invitation says, for people."""
    broker = invitation.broker
    period = _period_name(invitation.duration)
    return {
        "community": invitation.name,
        "broker": "Home Assistant MQTT" if broker is None else f"{broker.host}:{broker.port}",
        "level": await async_told(hass, level_key(wanted), [invitation.level.value]),
        "period": await async_told(hass, period_key(wanted), [period]),
        "flows": await async_told(
            hass, "membership_flow", [flow.value for flow in invitation.flows]
        ),
        "expires": moment(invitation.expires),
    }


async def async_chosen(hass: HomeAssistant, agreed: Agreed, offered: Wanted) -> dict[str, str]:
    """Return what was chosen, for people."""
    return {
        "level": await async_told(hass, level_key(offered), [agreed.level.value]),
        "period": await async_told(hass, period_key(offered), [_period_name(agreed.duration)]),
        "flows": await async_told(hass, "membership_flow", [flow.value for flow in agreed.flows]),
    }
