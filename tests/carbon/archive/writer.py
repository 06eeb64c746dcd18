"""Writes one transaction after the other until it is killed; tells each that is kept.

The archive needs nothing of Home Assistant, so that the process is there in no time.
"""

# ruff: noqa: E402  # what would import Home Assistant is left out first

from pathlib import Path
import sys
from types import ModuleType

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))
bare = ModuleType("custom_components.carbon_meter")
bare.__path__ = [str(ROOT / "custom_components" / "carbon_meter")]
sys.modules[bare.__name__] = bare

from custom_components.carbon_meter.carbon.archive.archive import FINE, Archive
from custom_components.carbon_meter.carbon.archive.rows import MeterHour

HOUR = 3600


def write(path: Path, start: int, meters: list[str]) -> None:
    """Go on where the archive ends."""
    archive = Archive(path)
    number: int = archive.get("number") or 0
    while True:
        number += 1
        hour = start + number * HOUR
        with archive.transaction():
            archive.put_energy(
                MeterHour(
                    meter=meter,
                    hour=hour,
                    imported=range(number, number + 12),
                    exported=[0.0] * 12,
                    grid_carbon=[1.5] * 12,
                    known=[True] * 12,
                )
                for meter in meters
            )
            archive.put_batteries(hour, {"battery": {"number": number}})
            points = [(hour, float(number)), (hour - HOUR, number - 1.0)]
            for meter in meters:
                archive.put_hourly(hour - HOUR, hour + HOUR, {meter: {"import": points}})
            archive.put("number", number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if number % 7 == 0:
            # As if all of it were old.
            archive.trim(hour + FINE + HOUR)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
