"""What the integration's own code takes of memory beside Home Assistant's.

Run as `python -m benchmarks.community.code`; prints megabytes. Whatever a hub's process has loaded
before anything is measured is not seen in it otherwise.
"""

from pathlib import Path
from typing import Final

# Part of Home Assistant's own: what runs beside the hub.
import homeassistant.bootstrap
import homeassistant.components.http
import homeassistant.components.recorder
import homeassistant.components.sensor.recorder  # noqa: F401

_PAGE: Final = 4096
"""Bytes."""


def resident() -> float:
    """Return the megabytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 2**20


def main() -> None:
    """Print what loading the integration adds."""
    before = resident()
    import benchmarks.community.inside  # noqa: F401, PLC0415  # this is what is measured

    print(resident() - before)


if __name__ == "__main__":
    main()
