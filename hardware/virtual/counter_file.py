"""What the counters showed when the virtual home was stopped: a real meter does not forget."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
import json
from pathlib import Path

from .home import VirtualHome
from .meter import MeterSpec

type Counters = Mapping[str, Mapping[str, float]]
"""Wh by the home's and the meter's name, and by quantity."""


def load_counters(path: Path) -> Counters:
    """Return what was saved, nothing where there is no file.

    Raises ValueError for a file that holds something else.
    """
    if not path.exists():
        return {}
    counters: Counters | None = json.loads(path.read_text(encoding="utf-8"))
    match counters:
        case dict():
            return counters
    raise ValueError(f"{path} does not hold counters")


def with_counters(specs: Iterable[MeterSpec], counters: Counters, home: str) -> list[MeterSpec]:
    """Return the meters of a home with the counters that they had."""
    found: list[MeterSpec] = []
    for spec in specs:
        saved = counters.get(_key(home, spec.name or spec.node), {})
        found.append(
            replace(
                spec,
                initial_import=saved.get("energy_import", spec.initial_import),
                initial_export=saved.get("energy_export", spec.initial_export),
            )
        )
    return found


def save_counters(path: Path, homes: Mapping[str, VirtualHome]) -> None:
    """Write what the counters of all meters have come to."""
    counters = {
        _key(name, meter.name): {
            key: value
            for key, value in meter.true_counters().items()
            if key in ("energy_import", "energy_export")
        }
        for name, home in homes.items()
        for meter in home.meters.values()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(counters), encoding="utf-8")


def _key(home: str, meter: str) -> str:
    return f"{home}/{meter}"
