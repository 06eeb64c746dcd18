"""From what is typed in the form of a load to what is kept of it, and back."""

from collections.abc import Mapping
import math
from typing import Any, Final

from homeassistant.const import CONF_NAME
from homeassistant.util import dt as dt_util

from ..const import CONF_KIND
from ..loads import keys
from ..loads.keys import LoadKind
from .load_forms import LoadForm

TIMES: Final = frozenset(
    {
        keys.CONF_QUIET_FROM,
        keys.CONF_QUIET_TO,
        keys.CONF_FINISH_BY,
        keys.CONF_FROM,
        keys.CONF_TO,
        keys.CONF_READY_BY,
        keys.CONF_HYGIENE_BY,
    }
)
"""Keys of times of day."""

_NUMBERS_AS_WORDS: Final = frozenset({keys.CONF_PHASES})
"""Numbers that are chosen, which forms hand over as words."""

_OF_LEVELS: Final = frozenset(
    {keys.CONF_CAPACITY, keys.CONF_TARGET, keys.CONF_MUST, keys.CONF_AT_ONCE}
)
"""What says nothing of a car whose level is not known; forms propose it."""


class ValueRefusedError(Exception):
    """What was typed cannot be read; `key` is its key, `reason` that of the error."""

    def __init__(self, key: str, reason: str) -> None:
        """Say which, and why."""
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


def load_data(kind: LoadKind, form: LoadForm, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a load: numbers as float, times with seconds, nothing needless.

    Raises ValueRefusedError for what is no number or no time.
    """
    data: dict[str, Any] = {CONF_KIND: kind.value}
    for key in form.every_key:
        value = values.get(key)
        if key == CONF_NAME or value is None or value in ("", []):
            continue
        data[key] = _kept(key, value)
    if kind is LoadKind.EV and keys.CONF_LEVEL not in data:
        for key in _OF_LEVELS & set(data):
            del data[key]
    return data


def _kept(key: str, value: Any) -> Any:
    """Return one value as it is kept."""
    if key in TIMES:
        time = dt_util.parse_time(value)
        if time is None:
            raise ValueRefusedError(key, "no_time")
        return time.replace(microsecond=0).isoformat()
    if key == keys.CONF_STAGES:
        return sorted({_number(key, stage) for stage in value})
    if key in _NUMBERS_AS_WORDS or (isinstance(value, int | float) and not _is_flag(value)):
        return _number(key, value)
    return value


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _number(key: str, value: Any) -> float:
    """Return a number, of a word as well; a unit after it and a comma in it do no harm."""
    text = str(value).strip().removesuffix("W").strip().replace(",", ".")
    try:
        number = float(text)
    except ValueError:
        raise ValueRefusedError(key, "no_number") from None
    if not math.isfinite(number):
        raise ValueRefusedError(key, "no_number")
    return number


def form_values(data: Mapping[str, Any], title: str) -> dict[str, Any]:
    """Return what is kept of a load as its form has it, without what no form would have kept."""
    values = {key: value for key, value in data.items() if key != CONF_KIND}
    values[CONF_NAME] = title
    stages = values.pop(keys.CONF_STAGES, None)
    if isinstance(stages, list | tuple):
        values[keys.CONF_STAGES] = [_word(stage) for stage in stages]
    for key in _NUMBERS_AS_WORDS & set(values):
        values[key] = _word(values[key])
    return values


def _word(value: Any) -> str:
    """Return a number as forms have it that choose it."""
    return f"{value:g}" if isinstance(value, int | float) else str(value)
