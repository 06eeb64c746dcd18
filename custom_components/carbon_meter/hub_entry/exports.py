"""Published figures as files below `<config>/carbon_meter/<community>/exports`."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from homeassistant.util import dt as dt_util

from ..community.hub.export import as_csv, as_json
from ..community.hub.periods import View
from ..community.ledger.cells import Scope
from ..refusals import failed
from .figures import ScopeKey
from .hub import Hub
from .invitation_files import community_folder
from .record import scope_slug


class ExportFormat(StrEnum):
    """What kind of file."""

    CSV = "csv"
    JSON = "json"


async def async_export(hub: Hub, view: View, wanted: ExportFormat) -> dict[str, Any]:
    """Write a view into a file; return where it is, how many periods it has, and its text.

    Raises HomeAssistantError where it cannot be written.
    """
    folder = community_folder(hub.hass, hub.community) / "exports"
    path = folder / f"{_stem(view, dt_util.utcnow())}.{wanted}"

    def write() -> str:
        text = as_csv(view) if wanted is ExportFormat.CSV else as_json(view)
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_text(text, encoding="utf-8", newline="")
        new.replace(path)
        return text

    try:
        text = await hub.hass.async_add_executor_job(write)
    except OSError as err:
        raise failed("hub_export_failed", err, file=str(path)) from err
    return {"file": str(path), "periods": len(view.periods), "content": text}


def _stem(view: View, now: datetime) -> str:
    """Return the name of a file: what it is of, and when it was written."""
    scope: ScopeKey = (view.scope, view.name)
    whose = "community" if view.scope is Scope.COMMUNITY else f"{view.scope}_{scope_slug(scope)}"
    first = dt_util.utc_from_timestamp(view.begin).strftime("%Y%m%d")
    last = dt_util.utc_from_timestamp(view.end).strftime("%Y%m%d")
    return f"{whose}_{view.grain}_{first}-{last}_{now:%Y%m%dT%H%M%S}"
