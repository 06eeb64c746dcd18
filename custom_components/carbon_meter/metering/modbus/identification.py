"""Which meter answers: by what it says, not by what somebody picks.

The order does no harm: reads only, the announced SunSpec chain first, then
registers that prove a family, and only when nothing is proved the maps whose
values make a plausible picture.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
import time
from typing import Final

from ..candidate import Candidate
from ..errors import MeterError, MeterGarbledError, MeterRejectedError, MeterSilentError
from ..plausibility import is_plausible
from .meter import ModbusMeter, RegisterUnit, read_words
from .profile import ModbusProfile, Signature
from .registers import Function, clean_text
from .sunspec import SunSpecModel, read_common, walk_models

_SILENCES_BEFORE_GIVING_UP: Final = 2
"""A device that has said nothing to two different questions is not asked a third."""

_KEYS: Final = frozenset(
    {
        "voltage",
        "voltage_l1",
        "voltage_l2",
        "voltage_l3",
        "voltage_l1_l2",
        "current",
        "current_l1",
        "current_l2",
        "current_l3",
        "power",
        "power_l1",
        "power_l2",
        "power_l3",
        "frequency",
    }
)
"""What the plausibility of a map is judged by."""


@dataclass(frozen=True, kw_only=True)
class Identification:
    """What was found behind one unit id."""

    candidates: tuple[Candidate, ...]
    """Best first. Several certain ones are several meters in one device."""

    seen: tuple[str, ...]
    """What the device said, for people who have to find out what it is."""


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
    probe = _Probe(unit)
    known = list(profiles)
    # Some meters are silent about registers that they do not have. These most of them have.
    await probe.read(Function.INPUT, 0, 2)
    found = await _by_sunspec(probe, known, clock)
    if not found:
        found = await _by_signature(probe, known, clock)
    if not found:
        found = await _by_plausibility(probe, known, clock)
    if not found:
        probe.raise_if_nothing_was_said()
        await _read_device_identification(probe)
    return Identification(candidates=tuple(found), seen=tuple(probe.seen))


async def _by_sunspec(
    probe: _Probe, profiles: list[ModbusProfile], clock: Callable[[], float]
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


async def _by_signature(
    probe: _Probe, profiles: list[ModbusProfile], clock: Callable[[], float]
) -> list[Candidate]:
    """Return the families that a register of the device proves."""
    found: list[Candidate] = []
    for profile in profiles:
        for signature in profile.signatures:
            words = await probe.read(signature.function, signature.address, signature.length)
            if words is None or not _matches(signature, words):
                continue
            try:
                found.append(await _candidate(probe, profile, proved=True, clock=clock))
            except MeterRejectedError as err:
                if not err.is_about_registers:
                    raise
                probe.seen.append(str(err))
            break
    return found


async def _by_plausibility(
    probe: _Probe, profiles: list[ModbusProfile], clock: Callable[[], float]
) -> list[Candidate]:
    """Return the maps that give a consistent picture, the one that explains most first."""
    found: list[tuple[bool, Candidate]] = []
    for profile in profiles:
        if profile.is_chained:
            continue
        keys = [register for key, register in profile.registers.items() if key in _KEYS]
        try:
            reading = await ModbusMeter(probe, profile, registers=keys, clock=clock).read()
            if not is_plausible(reading.values, profile.phases):
                continue
            candidate = await _candidate(probe, profile, proved=False, clock=clock)
            found.append((await _is_doubtful(probe, profile), candidate))
        except MeterRejectedError, MeterSilentError, MeterGarbledError:
            if probe.gives_up:
                raise
    # On a meter of three phases the map of its single-phase sister looks right as well.
    phases = max((candidate.profile.phases for _, candidate in found), default=0)
    fitting = [item for item in found if item[1].profile.phases == phases]
    fitting.sort(key=lambda item: (item[0], -len(item[1].reading.values)))
    return [candidate for _, candidate in fitting]


async def _is_doubtful(probe: _Probe, profile: ModbusProfile) -> bool:
    """Return whether the registers that would prove the family hold something else."""
    for signature in profile.signatures:
        words = await probe.read(signature.function, signature.address, signature.length)
        if words is not None and any(words) and not _matches(signature, words):
            return True
    return False


def _matches(signature: Signature, words: list[int]) -> bool:
    if signature.text:
        return signature.text.lower() in clean_text(words).lower()
    raw = 0
    for word in words:
        raw = raw << 16 | word
    return raw in signature.codes


async def read_as(
    unit: RegisterUnit, profile: ModbusProfile, *, clock: Callable[[], float] = time.time
) -> Candidate:
    """Return what answers as a meter of this family, whatever it is. Raises MeterError."""
    return await _candidate(_Probe(unit), profile, proved=False, clock=clock)


async def _candidate(
    probe: _Probe, profile: ModbusProfile, *, proved: bool, clock: Callable[[], float]
) -> Candidate:
    """Read a meter of a known family once, with what it says of itself.

    A proved family whose values make no sense may have its word order changed.
    """
    identity: dict[str, str] = {}
    for key, register in profile.identity.items():
        words = await probe.read(register.function, register.address, register.length)
        identity[key] = register.decode(words) if words is not None else ""
    reading = await ModbusMeter(probe, profile, clock=clock).read()
    return Candidate(
        profile=profile,
        settings={"base": 0},
        certain=proved and is_plausible(reading.values, profile.phases),
        reading=reading,
        manufacturer=identity.get("manufacturer", ""),
        model=identity.get("model", ""),
        serial=identity.get("serial", ""),
    )


_IDENTIFICATION_OBJECTS: Final = {0: "vendor", 1: "product", 2: "revision", 4: "name", 5: "model"}


async def _read_device_identification(probe: _Probe) -> None:
    """Ask an unknown device for its Modbus identification (function 43/14), for people to read."""
    read = getattr(probe.unit, "read_device_identification", None)
    if read is None:
        return
    try:
        objects: dict[int, bytes] = await read()
    except Exception as err:  # noqa: BLE001  # most devices do not know the function: any failure is one
        probe.seen.append(f"no Modbus identification ({type(err).__name__})")
        return
    for key, name in _IDENTIFICATION_OBJECTS.items():
        if text := objects.get(key, b"").decode("utf-8", errors="replace").strip("\0 "):
            probe.seen.append(f"{name} {text}")


class _Probe:
    """A unit that is asked each question once, and tells what it has said.

    It is a `RegisterUnit` itself, so that a meter can be read through it.
    """

    def __init__(self, unit: RegisterUnit) -> None:
        self.unit = unit
        self.seen: list[str] = []
        self._answers: dict[tuple[Function, int, int], list[int] | None] = {}
        self._silences = 0
        self._answered = False
        self._last_error: MeterError | None = None

    @property
    def gives_up(self) -> bool:
        """Return whether nobody seems to be there."""
        return not self._answered and self._silences >= _SILENCES_BEFORE_GIVING_UP

    async def read(self, function: Function, address: int, count: int) -> list[int] | None:
        """Return the words, None where the device refuses or says nothing to this question."""
        key = (function, address, count)
        if key not in self._answers:
            try:
                self._answers[key] = await self._ask(*key)
            except MeterRejectedError, MeterSilentError, MeterGarbledError:
                if self.gives_up:
                    raise
                self._answers[key] = None
        return self._answers[key]

    async def _ask(self, function: Function, address: int, count: int) -> list[int]:
        """Read registers and take note of what comes of it."""
        try:
            words = await read_words(self.unit, function, address, count)
        except MeterRejectedError as err:
            self._last_error = err
            # A gateway says no more than that the device is silent, perhaps to this only.
            if err.is_about_unit:
                self._silences += 1
            else:
                self._answered = True
            raise
        except (MeterSilentError, MeterGarbledError) as err:
            self._last_error = err
            self._silences += 1
            raise
        self._answered = True
        if any(words):
            shown = " ".join(f"{word:04X}" for word in words[:8])
            self.seen.append(f"{function} 0x{address:04X}: {shown}{' …' if count > 8 else ''}")
        return words

    def raise_if_nothing_was_said(self) -> None:
        """Raise why, when not one question got an answer; tell if all were refused."""
        if self._last_error is None:
            return
        if not self._answered:
            raise self._last_error
        if not self.seen:
            self.seen.append(str(self._last_error))

    async def read_holding_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 3."""
        return await self._ask(Function.HOLDING, address, count)

    async def read_input_registers(self, address: int, count: int) -> list[int]:
        """Read with function code 4."""
        return await self._ask(Function.INPUT, address, count)
