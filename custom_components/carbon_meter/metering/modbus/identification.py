"""Which meter answers: by what it says, not by what somebody picks.

The order does no harm: reads only, the announced SunSpec chain first, then the Modbus
identification and the registers that prove a family, and only when nothing is proved the
maps whose values make a plausible picture.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
import time
from typing import Final

from ..candidate import Candidate, Identification
from ..errors import MeterGarbledError, MeterRejectedError, MeterSilentError
from ..plausibility import is_plausible
from .meter import ModbusMeter, RegisterUnit
from .probe import Probe
from .profile import ModbusProfile, Signature
from .ranking import could_be, ranked, score
from .registers import Function
from .sunspec import SunSpecModel, read_common, walk_models

_LIKELY: Final = 0.5
"""Of the best score what a map with more phases needs to be the better one."""


async def identify(
    unit: RegisterUnit,
    profiles: Iterable[ModbusProfile],
    *,
    clock: Callable[[], float] = time.time,
) -> Identification:
    """Return the meters that may be behind a unit.

    Raises MeterUnreachableError, MeterSilentError, MeterGarbledError (it does not
    speak Modbus) or MeterRejectedError (a gateway that knows no such unit).
    """
    probe = Probe(unit)
    known = list(profiles)
    # Some meters are silent about registers that they do not have. These most of them have.
    await probe.read(Function.INPUT, 0, 2)
    found = await _by_sunspec(probe, known, clock)
    if not found:
        found = await _by_proof(probe, known, clock)
    if not any(candidate.certain for candidate in found):
        tried = {candidate.profile.id for candidate in found}
        rest = [profile for profile in known if profile.id not in tried]
        found = ranked([*found, *await _by_plausibility(probe, rest, clock)])
    if not found:
        probe.raise_if_nothing_was_said()
        await probe.identification()
    return Identification(candidates=tuple(found), seen=tuple(probe.seen))


async def read_as(
    unit: RegisterUnit, profile: ModbusProfile, *, clock: Callable[[], float] = time.time
) -> Candidate:
    """Return what answers as a meter of this family, whatever it is. Raises MeterError."""
    return await _candidate(Probe(unit), profile, proved=False, clock=clock)


async def _by_sunspec(
    probe: Probe, profiles: list[ModbusProfile], clock: Callable[[], float]
) -> list[Candidate]:
    """Return every meter model of the device's SunSpec chain."""

    async def read(address: int, count: int) -> list[int]:
        words = await probe.read(Function.HOLDING, address, count)
        if words is None:
            raise MeterRejectedError(f"holding 0x{address:04X} refused", code=2)
        return words

    models = await walk_models(read)
    if models:
        probe.seen.append(f"SunSpec models {', '.join(str(model.model) for model in models)}")
    found: list[Candidate] = []
    for model in models:
        profile = _sunspec_profile(profiles, model)
        if profile is None:
            continue
        common = await read_common(read, models, model)
        meter = ModbusMeter(probe.unit, profile, base=model.address, clock=clock)
        try:
            reading = await meter.read()
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
            probe.seen.append(f"model {model.model} at {model.address}: {err}")
            continue
        found.append(
            Candidate(
                profile=profile,
                settings={"base": model.address},
                certain=True,
                score=1.0,
                reading=reading,
                manufacturer=common.manufacturer,
                model=common.model,
                serial=common.serial,
            )
        )
    if models and not found:
        common = await read_common(read, models, models[-1])
        probe.seen.append(
            " ".join(filter(None, (common.manufacturer, common.model, common.serial)))
        )
    return found


def _sunspec_profile(profiles: list[ModbusProfile], model: SunSpecModel) -> ModbusProfile | None:
    return next((profile for profile in profiles if model.model in profile.sunspec_models), None)


async def _by_proof(
    probe: Probe, profiles: list[ModbusProfile], clock: Callable[[], float]
) -> list[Candidate]:
    """Return the families that the device says it is of; only the first that is certain."""
    found: list[Candidate] = []
    for profile in await _proved(probe, profiles):
        try:
            candidate = await _candidate(probe, profile, proved=True, clock=clock)
        except MeterRejectedError as err:
            if not err.is_about_registers:
                raise
            probe.seen.append(str(err))
            continue
        if candidate.certain:
            return [candidate]
        if candidate.score:
            found.append(candidate)
    return found


async def _proved(probe: Probe, profiles: list[ModbusProfile]) -> list[ModbusProfile]:
    """Return the families that the device's words speak for, each question asked once."""
    found: dict[str, ModbusProfile] = {}
    signed = [profile for profile in profiles if profile.device_signature is not None]
    if signed:
        said = await probe.identification()
        found = {
            profile.id: profile
            for profile in signed
            if profile.device_signature is not None
            and profile.device_signature.matches(said.get("vendor", ""), said.get("product", ""))
        }
    pairs = [(signature, profile) for profile in profiles for signature in profile.signatures]
    for signature, profile in sorted(pairs, key=lambda pair: pair[0].order):
        if profile.id not in found and await _matches(probe, signature):
            found[profile.id] = profile
    return list(found.values())


async def _matches(probe: Probe, signature: Signature) -> bool:
    """Return whether the device has this content, and what must be beside it."""
    words = await probe.read(signature.function, signature.address, signature.length)
    if words is None or not signature.matches(words):
        return False
    return signature.beside is None or await _matches(probe, signature.beside)


async def _by_plausibility(
    probe: Probe, profiles: list[ModbusProfile], clock: Callable[[], float]
) -> list[Candidate]:
    """Return the maps that give a consistent picture."""
    found: list[Candidate] = []
    for profile in profiles:
        if profile.is_chained:
            continue
        try:
            if not await could_be(probe, profile):
                continue
            candidate = await _candidate(probe, profile, proved=False, clock=clock)
        except MeterRejectedError, MeterSilentError, MeterGarbledError:
            if probe.gives_up:
                raise
            continue
        if candidate.score:
            found.append(candidate)
    # On a meter of three phases the map of its single-phase sister looks right as well.
    likely = max((each.score for each in found), default=0.0) * _LIKELY
    phases = max((each.profile.phases for each in found if each.score >= likely), default=0)
    return [each for each in found if each.profile.phases >= phases]


async def _candidate(
    probe: Probe, profile: ModbusProfile, *, proved: bool, clock: Callable[[], float]
) -> Candidate:
    """Read a meter of a known family once, with what it says of itself.

    A proved family whose values make no sense may have its word order changed.
    """
    identity: dict[str, str] = {}
    for key, register in profile.identity.items():
        words = await probe.read(register.function, register.address, register.length)
        identity[key] = register.decode(words) if words is not None else ""
    meter = ModbusMeter(probe, profile, clock=clock)
    candidate = Candidate(
        profile=profile,
        settings={"base": 0},
        certain=False,
        reading=await meter.read(),
        manufacturer=identity.get("manufacturer", ""),
        model=identity.get("model", ""),
        serial=identity.get("serial", ""),
    )
    if proved and is_plausible(candidate.reading.values, profile.phases):
        return replace(candidate, certain=True, score=1.0)
    return replace(candidate, score=await score(probe, profile, candidate, proved=proved))
