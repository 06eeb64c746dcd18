"""A virtual meter seen through pages or topics: a place in a household, written by a profile."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from custom_components.carbon_meter.metering.json.extraction import complete_settings
from custom_components.carbon_meter.metering.json.placeholders import Settings
from custom_components.carbon_meter.metering.json.profile import JsonProfile

from ..clock import VirtualClock
from ..counters import Counters
from ..electrical import MIXES, Wiring
from ..faults import Fault, Jump, Reset, RollOver
from ..household import GRID, Household
from ..integral import Integral, Rewired
from .forms import Unknown
from .models import Model
from .writer import Writer


@dataclass(frozen=True, kw_only=True)
class WebMeterSpec:
    """Which meter sits where."""

    node: str = GRID
    settings: Settings = field(default_factory=dict)
    """Which meter of the device it is."""

    initial_import: float = 0.0
    """Wh on the counter at the beginning."""

    initial_export: float = 0.0
    wiring: Wiring | None = None
    """By default that of the model that is played."""


class WebMeter:
    """A meter that fills pages, can be asked for the truth, and made not to know."""

    def __init__(
        self,
        spec: WebMeterSpec,
        profile: JsonProfile,
        model: Model,
        household: Household,
        clock: VirtualClock,
    ) -> None:
        """Connect the meter; raises ValueError when the household has no such node."""
        if spec.node not in household.nodes:
            raise ValueError(f"there is no node {spec.node!r} for {profile.id}")
        self.spec = spec
        self.profile = profile
        self.settings = complete_settings(profile, {**model.settings, **spec.settings})
        self._wiring = spec.wiring or Wiring(model.wiring)
        self._model = model
        self._clock = clock
        self._supply = household.supply
        source = Rewired(source=household.nodes[spec.node], mix=MIXES[self._wiring])
        self._integral = Integral(source, household.start)
        household.on_change(self._integral.forget)
        self._counters = Counters(
            self._integral,
            self._wiring,
            initial_import=spec.initial_import,
            initial_export=spec.initial_export,
            netted=False,
        )
        self._unknown: dict[str, Unknown] = {}

    def true_values(self, at: float | None = None) -> dict[str, float]:
        """Return every quantity, true and unrounded, now or at a past moment."""
        at = self._clock.now() if at is None else at
        flow = self._integral.flow(at)
        return self._supply.quantities(flow, self._wiring, at) | self._counters.true(at)

    def forget(self, quantities: Iterable[str], form: Unknown = Unknown.NULL) -> None:
        """From now on, let the device say that it does not know these quantities."""
        self._unknown |= dict.fromkeys(quantities, form)

    def remember(self) -> None:
        """Let the device know everything again."""
        self._unknown.clear()

    def apply(self, fault: Fault) -> None:
        """Let a counter begin again, jump or roll over; raises ValueError for other faults."""
        now = self._clock.now()
        match fault:
            case Reset(to=to, quantities=keys):
                self._counters.reset(keys, to, now)
            case Jump(by=by, quantities=keys):
                self._counters.jump(keys, by)
            case RollOver(at=modulus, quantities=keys):
                self._counters.roll_over(keys, modulus, now)
            case _:
                raise ValueError(f"{fault.name} is a matter of the server")

    def fill(self, pages: dict[str, Any]) -> dict[str, float]:
        """Write every quantity into pages by name; return what a perfect reader reads there."""
        now = self._clock.now()
        flow = self._integral.flow(now)
        values = self._supply.quantities(flow, self._wiring, now) | self._counters.shown(now)
        writer = Writer(self.profile, self._model, self.settings, pages)
        return writer.write(values, self._unknown)
