"""What the figures were measured on. It names no host: rows may be published."""

from functools import cache
from importlib.metadata import version
import os
from pathlib import Path
import platform


@cache
def describe() -> str:
    """Return processor, cores, Python and Home Assistant as one line."""
    cores = os.process_cpu_count() or 1
    return ", ".join(
        (
            _processor(),
            f"{cores} core{'' if cores == 1 else 's'}",
            f"Python {platform.python_version()}",
            f"Home Assistant {version('homeassistant')}",
        )
    )


def _processor() -> str:
    """Return the model as the system names it, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == "model name" and value.strip():
            return value.strip()
    return platform.machine() or "unknown processor"
