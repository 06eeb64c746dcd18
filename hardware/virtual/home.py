"""A virtual home: a household, its meters, and the port that they answer on."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import Self, override

from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles

from .clock import VirtualClock
from .household import Household
from .meter import MeterSpec, VirtualMeter
from .server import Endpoint, ModbusPort


class VirtualHome(AbstractAsyncContextManager["VirtualHome"]):
    """Meters of one household behind one Modbus TCP port.

    In a test, a home that draws exactly 3 kW:

        async with VirtualHome.constant(3000, [MeterSpec(profile="eastron_sdm630")]) as home:
            home.port                              # where to read
            home["grid"].true_counters()           # what must come out

    Building a home reads the profile files unless `profiles` are given; inside it
    the port is open.
    """

    def __init__(
        self,
        meters: Iterable[MeterSpec],
        household: Household | None = None,
        *,
        clock: VirtualClock | None = None,
        profiles: Mapping[str, ModbusProfile] | None = None,
        endpoint: Endpoint | None = None,
    ) -> None:
        """Furnish the home; by default with a simulated household, from now on.

        Raises ValueError for a profile, node or name that does not exist or is taken twice.
        """
        self.clock = clock or VirtualClock()
        self.household = household or Household.simulated(self.clock.now())
        known = load_profiles().of(ModbusProfile) if profiles is None else profiles
        built: dict[str, VirtualMeter] = {}
        for spec in meters:
            if spec.profile not in known:
                raise ValueError(f"there is no profile {spec.profile!r}")
            meter = VirtualMeter(spec, known[spec.profile], self.household, self.clock)
            if meter.name in built:
                raise ValueError(f"two meters have the name {meter.name!r}")
            built[meter.name] = meter
        self.meters: Mapping[str, VirtualMeter] = MappingProxyType(built)
        self.modbus = ModbusPort(built.values(), endpoint)

    @classmethod
    def constant(
        cls, watts: float, meters: Iterable[MeterSpec], *, clock: VirtualClock | None = None
    ) -> Self:
        """Return a home that draws the same power for ever."""
        clock = clock or VirtualClock()
        return cls(meters, Household.constant(watts, clock.now()), clock=clock)

    @property
    def port(self) -> int:
        """Return the number of the Modbus port."""
        return self.modbus.port

    def __getitem__(self, name: str) -> VirtualMeter:
        """Return a meter by its name."""
        return self.meters[name]

    def force(self, node: str, watts: float | Sequence[float] | None) -> None:
        """From now on, let a fixed power flow through a node; None gives it free."""
        self.household.force(node, watts, self.clock.now())

    @override
    async def __aenter__(self) -> Self:
        await self.modbus.open()
        return self

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.modbus.close()


HOME: tuple[MeterSpec, ...] = (
    MeterSpec(profile="eastron_sdm630", node="grid", unit=1),
    MeterSpec(profile="eastron_sdm120", node="heat_pump", unit=2),
    MeterSpec(profile="sunspec_meter_integer", node="solar", unit=3),
    MeterSpec(profile="schneider_iem3000", node="battery", unit=4),
    MeterSpec(profile="eastron_sdm72_v2", node="ev", unit=5),
)
"""A house with meters for the grid, the heat pump, the roof, the battery and the car."""

PRESETS: Mapping[str, tuple[MeterSpec, ...]] = MappingProxyType({"home": HOME, "grid": HOME[:1]})
"""What the command line offers."""


def preset(name: str, *, profile: str | None = None, initial: float = 0.0) -> list[MeterSpec]:
    """Return the meters of a preset.

    `profile` is for the first meter instead of its own, `initial` the Wh on every
    import counter at the beginning.
    """
    specs = [replace(spec, initial_import=initial) for spec in PRESETS[name]]
    if profile is not None:
        specs[0] = replace(specs[0], profile=profile)
    return specs
