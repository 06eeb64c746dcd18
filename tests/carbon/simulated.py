"""A meter that counts truly, for the tests of its account."""

from collections.abc import Mapping
import json

from custom_components.carbon_meter.carbon.account import MeterAccount
from custom_components.carbon_meter.carbon.intensity.fixed import FixedSource
from custom_components.carbon_meter.carbon.intensity.ladder import Ladder
from custom_components.carbon_meter.carbon.intervals import HOUR, floor
from custom_components.carbon_meter.carbon.tally import Tally
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.modbus.registers import Function, Register, WordOrder
from custom_components.carbon_meter.metering.readings import Reading

T = floor(1_790_000_000, HOUR)
DAY = 24 * HOUR
POLL = 10.0
GRAMS = 400.0


def profile(**changes: object) -> ModbusProfile:
    fields = {"type": "f32", "function": Function.INPUT, "word_order": WordOrder.BIG}
    registers = {
        key: Register(quantity=key, address=2 * index, **fields)
        for index, key in enumerate(("voltage", "power", "energy_import", "energy_export"))
    }
    return ModbusProfile(
        id="test",
        vendor="Test",
        name="meter",
        models=("T1",),
        phases=1,
        protocol="modbus",
        quantities=(),
        registers=registers,
        max_registers=125,
        **changes,
    )


PROFILE = profile()


class Meter:
    """A meter that counts truly, and an account of what it says."""

    def __init__(self, *, poll: float = POLL, weighed: bool = True, **changes: object) -> None:
        self.now = float(T)
        self.profile = profile(**changes)
        self.ladder = Ladder([FixedSource(GRAMS)])
        self.poll, self.weighed = poll, weighed
        self.account = MeterAccount(self.profile, self.ladder, poll_interval=poll, weighed=weighed)
        self.imported, self.exported = 5_000_000.0, 70_000.0
        self._ticks = 0

    def flow(self, seconds: float, watts: float) -> None:
        """Let time pass with a constant power, export where it is negative."""
        self.now += seconds
        energy = watts * seconds / 3600
        self.imported += max(energy, 0.0)
        self.exported += max(-energy, 0.0)

    def reading(self, *, without: tuple[str, ...] = (), **changes: float) -> Reading:
        self._ticks += 1
        values = {
            "voltage": 230.0 + self._ticks % 7 / 10,
            "energy_import": self.imported,
            "energy_export": self.exported,
        } | changes
        kept = {key: value for key, value in values.items() if key not in without}
        return Reading(time=self.now, values=kept)

    def read(self, **how: object) -> list[str]:
        """Observe a reading; return the events that were told."""
        incidents = self.account.observe(self.reading(**how))
        return [f"{item.quantity} {item.reason}" for item in incidents]

    def poll_for(self, seconds: float, watts: float) -> None:
        """Let time pass with a reading at every poll."""
        for _ in range(round(seconds / self.poll)):
            self.flow(self.poll, watts)
            assert self.read() == []

    def repeat(self, reading: Reading) -> None:
        """Observe what a frozen meter repeats."""
        self.account.observe(Reading(time=self.now, values=reading.values))

    def stored(self) -> str:
        return json.dumps(self.account.as_dict())

    def restart(self, stored: str | None = None) -> None:
        """Take the account from its file, as it is now or was before."""
        self.account = MeterAccount.from_dict(
            json.loads(stored or self.stored()),
            self.profile,
            self.ladder,
            poll_interval=self.poll,
            weighed=self.weighed,
        )

    @property
    def total(self) -> Tally:
        return self.account.ledger.total

    @property
    def intervals(self) -> Mapping[int, Tally]:
        return self.account.ledger.intervals
