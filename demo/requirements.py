"""Prints the packages that the demo's Home Assistant would install while it starts.

scripts/lock writes them into the requirement files, so that `hass --skip-pip` finds them all.
Home Assistant says in the manifests of its integrations what they need.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import sys
from typing import Any, Final

import homeassistant
from homeassistant import bootstrap

from demo.config_dir import INTEGRATION, INTEGRATIONS
from demo.launcher import UNWANTED, default_integrations

_COMPONENTS: Final = Path(homeassistant.__file__).parent / "components"

# What is imported without being named in any manifest, what the benchmarks compare with, and what
# the demo's signal is made with.
_ALSO: Final = frozenset({"hassio", "http", "modbus", "template"})

# The launcher has stand-ins for these: they need a compiler or a library of the system.
_STOOD_IN: Final = ("PyTurboJPEG", "pymicro-vad", "pyspeex-noise")

# Started early when they are configured; these two never are.
_NEVER: Final = frozenset({"debugpy", "sentry"})


def needed() -> list[str]:
    """Return the pinned requirements of all integrations that the demo sets up."""
    early = {domain for _, domains, _ in bootstrap.STAGE_0_INTEGRATIONS for domain in domains}
    waiting = default_integrations() | bootstrap.CORE_INTEGRATIONS | early | set(INTEGRATIONS)
    # What is not set up is imported all the same when the page asks for all actions.
    waiting = (waiting | _ALSO | UNWANTED) - _NEVER
    ours = _manifest(INTEGRATION)
    requirements = set(ours.get("requirements", ()))
    waiting |= set(ours.get("dependencies", ()))
    seen: set[str] = set()
    while waiting:
        domain = waiting.pop()
        seen.add(domain)
        manifest = _manifest(_COMPONENTS / domain)
        requirements |= set(manifest.get("requirements", ()))
        waiting |= set(manifest.get("dependencies", ())) - seen
    wanted = (line for line in requirements if not line.startswith(_STOOD_IN))
    return sorted(wanted, key=str.lower)


def _manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of an integration; empty when it has none."""
    path = folder / "manifest.json"
    if not path.exists():
        return {}
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def print_lines(lines: Iterable[str]) -> None:
    """Print one line each."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    print_lines(needed())
