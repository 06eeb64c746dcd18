"""How likely a map is where the device does not say whose it is.

A map is tried with its first voltage alone: most of the wrong ones are out after one
request. What is left is read in full, and every quantity that exists and fits the others
speaks for it.
"""

from collections.abc import Mapping
from dataclasses import replace
import math
from typing import Final

from ..candidate import Candidate
from ..plausibility import Evidence, is_nominal_voltage, is_plausible, weigh
from ..quantities import QUANTITIES
from .blocks import Block
from .layout import Layout, Wanted
from .probe import Probe
from .profile import ModbusProfile, Signature
from .registers import Register

_FIRST: Final = ("voltage_l1", "voltage")
_NEXT: Final = ("voltage_l2", "voltage_l3", "voltage_l1_l2")
"""The voltages by which a map is tried, in this order; the later ones where a phase is dead."""

_CONTRADICTION: Final = 3.0
_FAULT: Final = 2.0
"""What each takes away from the points that the quantities and their relations give."""

_WHOLE: Final = 3.0
"""Points for having every quantity of the family. Single gaps say little: models differ."""

_SPEAKING_EACH: Final = 4
"""Relations that must hold for each that does not, where the device proves nothing."""

_HALF: Final = 20.0
"""Points that make a map as likely as not."""

_PROVED: Final = 0.05
"""The least for a family that the device says it is of, whatever its values look like."""

_DOUBT: Final = 0.6
"""What is left of a score where the device says something else than the family would."""

_SAME: Final = 0.02
"""A register and the one that repeats it are read at two moments."""

_SMALL: Final = 20.0
"""W, V or A by which they may differ whatever their size."""


async def could_be(probe: Probe, profile: ModbusProfile) -> bool:
    """Return whether the map's first registers show a meter, with as few requests as possible."""
    voltages = _voltages(profile)
    if not voltages:
        power = profile.registers.get("power")
        return power is not None and (await _value(probe, profile, power))[1] is not None
    answered = False
    for key in (*_FIRST, *_NEXT):
        if key in _NEXT and not answered:
            return False
        for register in voltages.get(key, ()):
            there, value = await _value(probe, profile, register)
            if is_nominal_voltage(value):
                return True
            answered |= there
            if value and register is voltages[key][-1]:
                # Not even a phase that is not wired: this is no voltage.
                return False
    return False


def _voltages(profile: ModbusProfile) -> dict[str, list[Register]]:
    """Return the registers of the voltages, of every option."""
    found: dict[str, list[Register]] = {}
    options = [option for choice in profile.choices for option in choice.options]
    for registers in (profile.registers, *(option.registers for option in options)):
        for key, register in registers.items():
            if key.startswith("voltage") and register not in found.setdefault(key, []):
                found[key].append(register)
    return found


async def _value(
    probe: Probe, profile: ModbusProfile, register: Register
) -> tuple[bool, float | None]:
    """Return whether the device has a register, and what it says where it has a value."""
    for function in filter(None, (register.function, profile.other_function)):
        wanted = Wanted(register=register).through(function)
        spans = wanted.spans(0)
        words = [await probe.read(span.function, span.address, span.words) for span in spans]
        if words[0] is not None:
            there = [(span, each) for span, each in zip(spans, words, strict=True) if each]
            blocks = [Block(spans=(span,)) for span, _ in there]
            layout = Layout.of([wanted], blocks, 0)
            said = layout.decode([each for _, each in there])
            return True, said[0].value if said else None
    return False, None


async def score(
    probe: Probe, profile: ModbusProfile, candidate: Candidate, *, proved: bool
) -> float:
    """Return how likely the candidate is, from 0 for not at all to below 1.

    A family without voltages has less to show; there every register must exist, and
    those that repeat each other must agree.
    """
    values = candidate.reading.values
    evidence = weigh(values)
    agreeing, differing = await _repeated(probe, profile, values)
    missing = set(profile.registers) - set(values)
    if not proved:
        sound = _is_sound(probe, candidate, evidence)
        if _voltages(profile):
            shown = sound and is_plausible(values, profile.phases)
        else:
            counting = any(value for key, value in values.items() if QUANTITIES[key].counter)
            there = probe.refuses and not missing and not candidate.reading.faults
            shown = sound and there and counting and agreeing > 0 and not differing
        if not shown:
            return 0.0
    elif not probe.refuses:
        # Who has any register has that of the proof by chance.
        return 0.0
    points = float(len(values) + evidence.speaking + agreeing)
    points -= _CONTRADICTION * (evidence.contradicting + differing)
    points += _WHOLE * (not missing) - _FAULT * len(candidate.reading.faults)
    likely = max(points, 0.0) / (max(points, 0.0) + _HALF)
    if await _is_doubtful(probe, profile, candidate):
        likely *= _DOUBT
    return max(likely, _PROVED) if proved else likely


def _is_sound(probe: Probe, candidate: Candidate, evidence: Evidence) -> bool:
    """Return whether so much fits that chance is not enough to explain it.

    A device that never refuses a register shows nothing by having one: there nothing may
    contradict.
    """
    measured = ("voltage", "current", "power", "frequency")
    broken = any(
        fault.quantity.startswith(measured) and not fault.quantity.startswith("power_factor")
        for fault in candidate.reading.faults
    )
    allowed = evidence.speaking / _SPEAKING_EACH if probe.refuses else 0
    return probe.is_varied and not broken and evidence.contradicting <= allowed


def ranked(candidates: list[Candidate]) -> list[Candidate]:
    """Return the candidates, best first."""
    return sorted(candidates, key=lambda candidate: -candidate.score)


async def _repeated(
    probe: Probe, profile: ModbusProfile, values: Mapping[str, float]
) -> tuple[int, int]:
    """Return how many registers agree with what repeats them, and how many do not."""
    pairs = [
        ((await _value(probe, profile, check))[1], values.get(check.quantity))
        for check in profile.checks
    ]
    verdicts = [
        math.isclose(value, known, rel_tol=_SAME, abs_tol=_SMALL)
        for value, known in pairs
        if value is not None and known is not None
    ]
    differences = [register for register in profile.registers.values() if register.minus]
    ways = [await _ways(probe, profile, register) for register in differences]
    # Energy flows one way at a time.
    verdicts += [min(parts) == 0 for parts in ways if parts]
    return verdicts.count(True), verdicts.count(False)


async def _ways(probe: Probe, profile: ModbusProfile, register: Register) -> list[float]:
    """Return the parts of a difference, nothing where one is missing."""
    addresses = (register.address, *register.minus)
    parts = [
        part
        for address in addresses
        if (part := (await _value(probe, profile, _only(register, address)))[1]) is not None
    ]
    return parts if len(parts) == len(addresses) else []


def _only(register: Register, address: int) -> Register:
    """Return one part of a difference."""
    return replace(register, address=address, minus=())


async def _is_doubtful(probe: Probe, profile: ModbusProfile, candidate: Candidate) -> bool:
    """Return whether what would prove the family holds something else.

    A meter that tells its number but not its code is rather one that has no code.
    """
    for signature in profile.signatures:
        words = await probe.read(signature.function, signature.address, signature.length)
        if words is None:
            if candidate.serial:
                return True
        elif _says_something(signature, words) and not signature.matches(words):
            return True
    return False


def _says_something(signature: Signature, words: list[int]) -> bool:
    content = words[signature.start :]
    return any(content) and not all(word == 0xFFFF for word in content)
