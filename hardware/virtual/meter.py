"""A virtual meter: a place in a household, seen through the registers of a profile."""

from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass, field

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Function, NotAvailableError

from .clock import VirtualClock
from .counters import Counters
from .device import Answer
from .electrical import MIXES, Wiring
from .faults import Fault, Jump, LastingFault, Reset, RollOver
from .household import GRID, Household, Node
from .identity import Identity, identification_objects, identity_texts
from .image import RegisterImage, Variant
from .integral import Integral, Rewired
from .misbehaviour import Misbehaviour
from .sunspec_chain import SunSpecLayout, lay_chain, meter_model, sunspec_wiring


@dataclass(frozen=True, kw_only=True)
class MeterSpec:
    """Which meter sits where."""

    profile: str
    """The profile's id."""

    node: str = GRID
    """The place in the household."""

    name: str = ""
    """What the meter is called in tests and by the control server; the node if empty."""

    unit: int = 1
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    initial_import: float = 0.0
    """Wh on the counter at the beginning."""

    initial_export: float = 0.0
    reversed: bool = False
    """Whether it is mounted the other way round: what comes is shown as going.

    Makers whose meters show export as positive (the profile names them) do so anyway.
    """

    netted: bool = True
    """Whether the totals net the phases or add up what each has counted."""

    wiring: Wiring | None = None
    """By default what the SunSpec model says, else by the profile's number of phases."""

    missing: AbstractSet[str] = frozenset()
    """Quantities that this model of the family does not know."""

    exponents: Mapping[str, int] = field(default_factory=dict)
    """Powers of ten by unit, for profiles with scale factors."""

    options: Mapping[str, str] = field(default_factory=dict)
    """The option by the name of the choice, for families with several ways; else the first."""

    ratios: Mapping[str, int] = field(default_factory=dict)
    """What the ratio registers hold, by name, for families that multiply by them."""

    sunspec: SunSpecLayout = field(default_factory=SunSpecLayout)


class VirtualMeter:
    """A meter that can be asked for registers, for the truth, and made to misbehave."""

    def __init__(
        self,
        spec: MeterSpec,
        profile: ModbusProfile,
        household: Household,
        clock: VirtualClock,
    ) -> None:
        """Connect the meter.

        Raises ValueError when household or profile do not have what the spec names.
        """
        node = household.nodes.get(spec.node)
        if node is None:
            raise ValueError(f"there is no node {spec.node!r} for {profile.id}")
        model = None
        if profile.is_chained:
            model = meter_model(spec.sunspec, profile)
        self.spec = spec
        self.name = spec.name or spec.node
        self.profile = profile
        self.wiring = spec.wiring or (
            _usual_wiring(profile.phases) if model is None else sunspec_wiring(model)
        )
        self.requests = 0
        self._clock = clock
        self._supply = household.supply
        self.identity = Identity.of(
            profile,
            f"{self.name} {spec.unit}",
            manufacturer=spec.manufacturer,
            model=spec.model or ("" if model is None else f"meter {model}"),
            serial=spec.serial,
        )
        maker_inverts = self.identity.manufacturer.lower() in profile.export_positive
        backwards = spec.reversed != maker_inverts
        self._integral = Integral(_as_mounted(node, self.wiring, backwards), household.start)
        household.on_change(self._integral.forget)
        self._counters = Counters(
            self._integral,
            self.wiring,
            initial_import=spec.initial_import,
            initial_export=spec.initial_export,
            netted=spec.netted,
        )
        self._image = self._laid_out(model)
        self._misbehaviour = Misbehaviour()

    @property
    def unit(self) -> int:
        """Return the unit id."""
        return self.spec.unit

    @property
    def identification(self) -> Mapping[int, bytes]:
        """Return what the meter answers to Modbus function 43/14; nothing for most families."""
        return identification_objects(self.profile, self.identity)

    @property
    def faults(self) -> tuple[LastingFault, ...]:
        """Return the faults that hold."""
        return self._misbehaviour.faults

    def true_counters(self, at: float | None = None) -> dict[str, float]:
        """Return what has truly flowed, in Wh and varh by quantity, now or at a past moment.

        No fault changes it: this is what a ledger is measured against.
        """
        return self._counters.true(self._moment(at))

    def true_values(self, at: float | None = None) -> dict[str, float]:
        """Return every quantity, true and unrounded, now or at a past moment."""
        at = self._moment(at)
        flow = self._integral.flow(at)
        return self._supply.quantities(flow, self.wiring, at) | self._counters.true(at)

    def shown_values(self, at: float | None = None) -> dict[str, float]:
        """Return what a reader gets from a meter that answers properly, rounded by its registers.

        Counters as they have been reset, have jumped or rolled over; quantities
        that this meter does not have registers or values for are absent.
        """
        values = self._shown(self._moment(at))
        found: dict[str, float] = {}
        for key in self._image.quantities:
            if key in values:
                try:
                    found[key] = self._image.rounded(key, values[key])
                except NotAvailableError:
                    continue
        return found

    def answer(self, function: Function, address: int, count: int) -> Answer:
        """Return what a read request brings; all registers are of the same moment."""
        self.requests += 1
        now = self._clock.now()
        return self._misbehaviour.answer(
            self._image, lambda: self._shown(now), function, address, count
        )

    def apply(self, fault: Fault) -> None:
        """Let a fault happen, or hold from now on.

        Raises ValueError when the fault is about something this meter does not have.
        """
        now = self._clock.now()
        match fault:
            case Reset(to=to, quantities=keys):
                self._counters.reset(keys, to, now)
            case Jump(by=by, quantities=keys):
                self._counters.jump(keys, by)
            case RollOver(at=modulus, quantities=keys):
                self._counters.roll_over(keys, modulus, now)
            case LastingFault():
                self._check(fault)
                self._misbehaviour.add(fault, self._shown(now))

    def clear(self, name: str | None = None) -> None:
        """End one fault by its name, or all; counters stay as they were changed."""
        self._misbehaviour.clear(name)

    def _shown(self, at: float) -> Mapping[str, float]:
        """Return every quantity as the meter knows it."""
        flow = self._integral.flow(at)
        values = self._supply.quantities(flow, self.wiring, at) | self._counters.shown(at)
        for key in self.spec.missing:
            values.pop(key, None)
        return values

    def _check(self, fault: LastingFault) -> None:
        """Refuse a fault about quantities without a register, or without a code for it."""
        named = tuple(getattr(fault, "quantities", ()))
        if quantity := getattr(fault, "quantity", None):
            named = (quantity,)
        for key in named:
            if key not in self._image.quantities:
                raise ValueError(f"{self.name} has no register for {key!r}")
            if fault.name == "not_available" and not self._image.can_be_unavailable(key):
                raise ValueError(f"{self.profile.id} has no not-available code for {key}")

    def _moment(self, at: float | None) -> float:
        return self._clock.now() if at is None else at

    def _laid_out(self, model: int | None) -> RegisterImage:
        """Return the register space, around a SunSpec model if there is one."""
        variant = Variant(
            options=self.spec.options,
            ratios=self.spec.ratios,
            exponents=self.spec.exponents,
            model=self.identity.model,
        )
        if model is None:
            texts = identity_texts(self.profile, self.identity)
            return RegisterImage(self.profile, texts=texts, variant=variant)
        chain = lay_chain(self.spec.sunspec, model, self.identity, self.unit)
        return RegisterImage(
            self.profile,
            base=chain.meter,
            texts=chain.texts,
            variant=variant,
            length=chain.length,
        )


def _usual_wiring(phases: int) -> Wiring:
    return {1: Wiring.SINGLE, 2: Wiring.SPLIT}.get(phases, Wiring.WYE)


def _as_mounted(node: Node, wiring: Wiring, backwards: bool) -> Rewired:
    """Return a node's flow as a meter there sees it."""
    sign = -1.0 if backwards else 1.0
    first, second, third = ((sign * row[0], sign * row[1], sign * row[2]) for row in MIXES[wiring])
    return Rewired(source=node, mix=(first, second, third))
