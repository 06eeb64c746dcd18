"""Check a profile file and, given an address, read the meter once by it.

usage: python scripts/check_profile.py FILE [HOST[:PORT] [UNIT]]

Runs the integration's own code, without Home Assistant. Nothing is written to the meter. The
exit code is 0 where all is well, 1 where the file has mistakes, 2 where the meter could not be
read and 3 where its values do not look like a meter.
"""

import argparse
import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
import sys
from types import MappingProxyType, ModuleType
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent / "custom_components" / "carbon_meter"

# The package's own first file needs Home Assistant; what is imported below does not.
_package = ModuleType("carbon_meter")
_package.__path__ = [str(PACKAGE)]
sys.modules["carbon_meter"] = _package

from carbon_meter.datafile import DataFileError  # noqa: E402
from carbon_meter.metering.errors import MeterError  # noqa: E402
from carbon_meter.metering.modbus.identification import identify  # noqa: E402
from carbon_meter.metering.modbus.meter import ModbusMeter, RegisterUnit  # noqa: E402
from carbon_meter.metering.modbus.probe import Probe  # noqa: E402
from carbon_meter.metering.modbus.profile import ModbusProfile  # noqa: E402
from carbon_meter.metering.modbus.registers import Function, Register, WordOrder  # noqa: E402
from carbon_meter.metering.plausibility import (  # noqa: E402
    is_frequency,
    is_nominal_voltage,
    is_plausible,
    weigh,
)
from carbon_meter.metering.profile import Profile  # noqa: E402
from carbon_meter.metering.profile_library import FORMS, load_profiles  # noqa: E402
from carbon_meter.metering.profile_schema import load_profile  # noqa: E402
from carbon_meter.metering.quantities import QUANTITIES  # noqa: E402
from carbon_meter.metering.readings import Reading  # noqa: E402
from modbus_connection import ModbusTcpParams  # noqa: E402
from modbus_connection.tmodbus import ModbusConnection  # noqa: E402

FAULTY, UNREAD, IMPLAUSIBLE = 1, 2, 3

_TIMEOUT: Final = 5.0
_PHASES: Final = ("", "_l1", "_l2", "_l3")
_TENS: Final = (0.001, 0.01, 0.1, 10.0, 100.0, 1000.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, read and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="check_profile.py", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("address", metavar="HOST[:PORT]", nargs="?")
    parser.add_argument("unit", metavar="UNIT", type=int, nargs="?", default=1)
    options = parser.parse_args(arguments)
    try:
        profile = load_profile(options.file, FORMS)
    except DataFileError as err:
        print(err)
        return FAULTY
    print(f"{options.file}: no mistakes. {profile.title}, {len(profile.quantities)} quantities")
    for remark in _remarks_on_file(profile):
        print(f"  note: {remark}")
    if options.address is None:
        return 0
    if not isinstance(profile, ModbusProfile):
        print(
            f"A meter of the protocol {profile.protocol} is tried by adding it in Home Assistant."
        )
        return UNREAD
    host, _, port = options.address.partition(":")
    return asyncio.run(
        _try(profile, ModbusTcpParams(host=host, port=int(port or 502)), options.unit)
    )


def _remarks_on_file(profile: Profile) -> Iterator[str]:
    """Yield what is allowed but may not be meant."""
    if profile.id in load_profiles().profiles:
        yield f"it replaces the packaged profile {profile.id}"
    if not {"energy_import", "energy_total"}.intersection(profile.quantities):
        yield "without energy_import no energy is counted"
    if not profile.sources:
        yield "it names no source"
    if not isinstance(profile, ModbusProfile) or profile.is_chained:
        return
    requests = len(ModbusMeter(_Nobody(), profile).blocks)
    yield f"one reading takes {requests} request{'s' if requests > 1 else ''}"
    if not profile.is_provable:
        yield "nothing proves the family: whoever adds such a meter has to confirm the model"
    if not any(key.startswith("voltage") for key in profile.quantities):
        yield "without a voltage it is not recognised by its values"


class _Nobody:
    """A unit that is only planned for."""

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        raise NotImplementedError

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        raise NotImplementedError


async def _try(profile: ModbusProfile, params: ModbusTcpParams, unit_id: int) -> int:
    """Read the meter and print what came of it; return the exit code."""
    connection = ModbusConnection(params, timeout=_TIMEOUT)
    try:
        unit = connection.for_unit(unit_id)
        return await _tried(unit, profile)
    except MeterError as err:
        print(f"The meter could not be read: {err}")
        return UNREAD
    finally:
        await connection.close()


async def _tried(unit: RegisterUnit, profile: ModbusProfile) -> int:
    base = 0
    if profile.is_chained:
        found = (await identify(unit, [profile])).candidates
        if not found:
            print(f"The device announces no SunSpec model of {sorted(profile.sunspec_models)}.")
            return UNREAD
        base = found[0].settings["base"]
    else:
        await _print_proofs(unit, profile)
    try:
        meter = ModbusMeter(unit, profile, base=base)
        reading = await meter.read()
    except MeterError as err:
        print(f"The meter could not be read: {err}")
        await _print_hints(unit, profile)
        return UNREAD
    _print_values(profile, reading, meter.absent, base)
    for remark in _remarks_on_values(reading.values):
        print(f"  note: {remark}")
    if is_plausible(reading.values, profile.phases) and not reading.faults:
        print("These values look like a meter. Compare them with its display.")
        return 0
    print("These values do not look like a meter.")
    await _print_hints(unit, profile)
    return IMPLAUSIBLE


async def _print_proofs(unit: RegisterUnit, profile: ModbusProfile) -> None:
    """Print whether the device proves the family, and what it says of itself."""
    probe = Probe(unit)
    for signature in profile.signatures:
        words = await probe.read(signature.function, signature.address, signature.length)
        place = f"signature {signature.function} 0x{signature.address:04X}"
        if words is None:
            print(f"  {place}: refused")
        else:
            said = " ".join(f"{word:04X}" for word in words)
            print(f"  {place}: {said}, {'proved' if signature.matches(words) else 'NOT proved'}")
    for key, register in profile.identity.items():
        words = await probe.read(register.function, register.address, register.length)
        print(f"  {key}: {'refused' if words is None else register.decode(words) or '-'}")


def _print_values(
    profile: ModbusProfile, reading: Reading, absent: Sequence[str], base: int
) -> None:
    """Print one line for each quantity, in the order of the file."""
    faults = {fault.quantity: fault for fault in reading.faults}
    width = max(map(len, profile.quantities))
    for key, register in profile.registers.items():
        value = reading.values.get(key)
        if value is not None:
            said = f"{value:14.3f} {QUANTITIES[key].unit.replace('1', '')}"
        elif key in faults:
            said = f"FAULT: {faults[key].reason}"
        else:
            said = "refused by the meter" if key in absent else "not known to the meter"
        print(f"  {key:{width}}  {register.place(base)}  {said}")


def _remarks_on_values(values: Mapping[str, float]) -> Iterator[str]:
    """Yield which values cannot be right, and which scale would make them so."""
    for key, value in values.items():
        name = key.removesuffix("_l1").removesuffix("_l2").removesuffix("_l3")
        right = {"voltage": is_nominal_voltage, "frequency": is_frequency}.get(name)
        if right is None or not value or right(value):
            continue
        tens = [ten for ten in _TENS if right(value * ten)]
        hint = f"; {tens[0]:g} times the scale gives {value * tens[0]:.1f}" if tens else ""
        yield f"{key} of {value:g} {QUANTITIES[key].unit} is unusual{hint}"
    for phase in _PHASES:
        volts, amperes = values.get(f"voltage{phase}"), values.get(f"current{phase}")
        power = values.get(f"power{phase}")
        if not volts or not amperes or power is None or not is_nominal_voltage(volts):
            continue
        if abs(power) > abs(volts * amperes) * 1.05 + 20 and (phase or "voltage_l1" not in values):
            yield f"power{phase} of {power:g} W is more than U times I, {volts * amperes:.0f} VA"


async def _print_hints(unit: RegisterUnit, profile: ModbusProfile) -> None:
    """Print which slip of the pen would explain the values: the smallest, then the likeliest."""
    found: list[tuple[int, float, tuple[str, ...]]] = []
    for changes, variant in () if profile.is_chained else _variants(profile):
        try:
            reading = await ModbusMeter(unit, variant).read()
        except MeterError:
            continue
        if is_plausible(reading.values, profile.phases) and not reading.faults:
            evidence = weigh(reading.values)
            against = evidence.contradicting - evidence.speaking - len(reading.values)
            found.append((len(changes), against, changes))
    if found:
        print(f"They would with {' and '.join(min(found)[2])}.")


def _variants(profile: ModbusProfile) -> Iterator[tuple[tuple[str, ...], ModbusProfile]]:
    """Yield the profile with what is mistaken most often the other way round."""
    shifts = {0: "", -1: "every address one lower", 1: "every address one higher"}
    orders = {False: "", True: "the other word order"}
    functions = {False: "", True: "the other function"}
    every = [
        (tuple(filter(None, (shifts[shift], orders[flip], functions[swap]))), shift, flip, swap)
        for shift, flip, swap in product(shifts, orders, functions)
    ]
    for changes, shift, flip, swap in every:
        if not changes:
            continue
        registers = {
            key: _varied(register, shift=shift, flip=flip, swap=swap)
            for key, register in profile.registers.items()
            if register.address + shift >= 0
        }
        variant = replace(
            profile,
            registers=MappingProxyType(registers),
            quantities=tuple(registers),
            choices=(),
            other_function=None,
        )
        yield changes, variant


def _varied(register: Register, *, shift: int, flip: bool, swap: bool) -> Register:
    order = WordOrder.LITTLE if register.word_order is WordOrder.BIG else WordOrder.BIG
    other = Function.INPUT if register.function is Function.HOLDING else Function.HOLDING
    return replace(
        register,
        address=register.address + shift,
        plus=tuple(address + shift for address in register.plus),
        minus=tuple(address + shift for address in register.minus),
        word_order=order if flip else register.word_order,
        function=other if swap else register.function,
    )


if __name__ == "__main__":
    raise SystemExit(main())
