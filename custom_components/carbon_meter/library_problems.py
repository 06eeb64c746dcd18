"""What is wrong in files and plugins, told in repair issues that go when it is mended."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN, LOGGER
from .datafile import Problem
from .plugins import async_guests
from .repair_issue import RepairIssue

_FILE: Final = "data_file"
_PLUGIN: Final = "plugin"


@callback
def async_report(
    hass: HomeAssistant, problems: Iterable[Problem], plugins: Mapping[str, Sequence[str]]
) -> None:
    """Raise one repair issue for each faulty file and for each faulty plugin."""
    told: set[str] = set()
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        by_file.setdefault(problem.file, []).append(problem)
        LOGGER.error("%s", problem)
    for file, found in by_file.items():
        issue_id = f"{_FILE}_{sha256(file.encode()).hexdigest()[:12]}"
        told.add(issue_id)
        lines = _listed(f"{problem.line}: {problem.message}" for problem in found)
        RepairIssue(hass, issue_id).tell(_FILE, {"file": file, "problems": lines})
    guests = async_guests(hass)
    for domain, texts in plugins.items():
        if not texts:
            continue
        name = guests[domain].name
        for text in texts:
            LOGGER.error("Plugin of %s: %s", name, text)
        issue_id = f"{_PLUGIN}_{domain}"
        told.add(issue_id)
        placeholders = {"integration": name, "problems": _listed(texts)}
        RepairIssue(hass, issue_id).tell(_PLUGIN, placeholders, about=domain)
    for (domain, issue_id), issue in list(ir.async_get(hass).issues.items()):
        if domain == DOMAIN and issue.translation_key in {_FILE, _PLUGIN} and issue_id not in told:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


def _listed(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)
