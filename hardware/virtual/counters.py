"""A meter's counters: what has truly flowed, and what the display shows of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .electrical import Wiring, line_names
from .integral import Integral


@dataclass(frozen=True, kw_only=True, slots=True)
class _Correction:
    """How a display differs from the truth."""

    offset: float = 0.0
    modulus: float | None = None


class Counters:
    """Counts an integral up, in Wh and varh.

    `initial_import` and `initial_export` are the figures at the beginning. With
    `netted` the totals count the sum of the phases at every moment, without it
    they add up what each phase has counted.
    """

    def __init__(
        self,
        integral: Integral,
        wiring: Wiring,
        *,
        initial_import: float = 0.0,
        initial_export: float = 0.0,
        netted: bool = True,
    ) -> None:
        """Begin with the initial figures."""
        self._integral = integral
        self._lines = line_names(wiring)
        self._initial = (initial_import, initial_export)
        self._netted = netted
        self._corrections: dict[str, _Correction] = {}

    def true(self, at: float) -> dict[str, float]:
        """Return every counter by its quantity's key, as if nothing had ever gone wrong."""
        energy = self._integral.energy(at)
        bought, sold = self._initial
        share = 1 / len(self._lines)
        values: dict[str, float] = {}
        for line, come, gone in zip(self._lines, energy.imported, energy.exported, strict=False):
            values[f"energy_import_{line}"] = bought * share + come
            values[f"energy_export_{line}"] = sold * share + gone
            values[f"energy_total_{line}"] = (bought + sold) * share + come + gone
        if self._netted:
            come, gone = energy.total_imported, energy.total_exported
        else:
            come, gone = sum(energy.imported), sum(energy.exported)
        values["energy_import"] = bought + come
        values["energy_export"] = sold + gone
        values["energy_total"] = bought + come + sold + gone
        values["reactive_energy_import"] = energy.reactive_imported
        values["reactive_energy_export"] = energy.reactive_exported
        values["reactive_energy_total"] = energy.reactive_imported + energy.reactive_exported
        return values

    def shown(self, at: float) -> dict[str, float]:
        """Return every counter as the display shows it."""
        values = self.true(at)
        for key, correction in self._corrections.items():
            value = max(values[key] + correction.offset, 0.0)
            values[key] = value if correction.modulus is None else value % correction.modulus
        return values

    def reset(self, keys: Iterable[str], to: float, at: float) -> None:
        """Let counters (all of them if none is named) begin again from a figure."""
        true = self.true(at)
        for key in self._known(keys) or true:
            self._corrections[key] = replace(self._of(key), offset=to - true[key])

    def jump(self, keys: Iterable[str], by: float) -> None:
        """Add to what counters show; nothing of it has ever flowed."""
        for key in self._known(keys):
            correction = self._of(key)
            self._corrections[key] = replace(correction, offset=correction.offset + by)

    def roll_over(self, keys: Iterable[str], modulus: float | None, at: float) -> None:
        """Let counters begin again at zero when they reach a figure, by default the next kWh."""
        shown = self.shown(at)
        for key in self._known(keys):
            limit = modulus if modulus is not None else (shown[key] // 1000 + 1) * 1000
            self._corrections[key] = replace(self._of(key), modulus=limit)

    def _of(self, key: str) -> _Correction:
        return self._corrections.get(key, _Correction())

    def _known(self, keys: Iterable[str]) -> tuple[str, ...]:
        """Return the keys; raises ValueError for one that is no counter of this meter."""
        known = self.true(0)
        names = tuple(keys)
        for key in names:
            if key not in known:
                raise ValueError(f"{key!r} is not a counter of this meter")
        return names
