"""Which message of a form helps with an error of a meter."""

from ..driver import ProbeError
from ..metering.errors import (
    MeterAuthError,
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
    MeterUnreachableError,
)


def probe_error(err: MeterError) -> ProbeError:
    """Return what a form says of it."""
    match err:
        case MeterRefusedError():
            key = "refused"
        case MeterUnreachableError():
            key = "unreachable"
        case MeterSilentError():
            key = "silent"
        case MeterAuthError():
            key = "auth"
        case MeterRejectedError(is_about_unit=True):
            key = "no_such_unit"
        case MeterGarbledError() | MeterRejectedError():
            key = "not_a_meter"
        case _:
            key = "unknown"
    return ProbeError(key, str(err))
