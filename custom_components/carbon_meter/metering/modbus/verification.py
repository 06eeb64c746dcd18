"""Whether the meter that answers is still the one that was configured."""

from ..errors import MeterRejectedError, WrongMeterError
from .meter import RegisterUnit, read_words
from .profile import ModbusProfile
from .registers import Function
from .sunspec import read_common, walk_models


async def verify(unit: RegisterUnit, profile: ModbusProfile, *, base: int, serial: str) -> int:
    """Return where the profile's addresses count from in the meter with this serial number.

    A SunSpec model is found again when the chain before it has changed. A meter that
    has no serial number, or does not tell it now, is taken for the right one.

    Raises WrongMeterError when another serial number answers, MeterError when
    nothing does.
    """
    if not serial:
        return base
    if profile.is_chained:
        return await _verify_sunspec(unit, profile, base, serial)
    register = profile.identity.get("serial")
    if register is None:
        return base
    try:
        words = await read_words(unit, register.function, register.address, register.length)
    except MeterRejectedError as err:
        if not err.is_about_registers:
            raise
        return base
    found = register.decode(words)
    if found and found != serial:
        raise WrongMeterError(expected=serial, found=found)
    return base


async def _verify_sunspec(
    unit: RegisterUnit, profile: ModbusProfile, base: int, serial: str
) -> int:
    """Return the address of the model whose identity block has the serial number."""

    async def read(address: int, count: int) -> list[int]:
        return await read_words(unit, Function.HOLDING, address, count)

    models = await walk_models(read)
    found: dict[int, str] = {}
    for model in models:
        if model.model in profile.sunspec_models:
            found[model.address] = (await read_common(read, models, model)).serial
    # Two meters may share one identity block: where it was, it is looked for first.
    matching = [address for address, said in found.items() if said == serial]
    if matching:
        return base if base in matching else matching[0]
    if found and all(found.values()):
        raise WrongMeterError(expected=serial, found=", ".join(dict.fromkeys(found.values())))
    return base
