"""Why a meter could not be read, in words that lead to what to do."""


class MeterError(Exception):
    """A meter could not be read."""


class MeterUnreachableError(MeterError):
    """Nothing accepts the connection: wrong address, wrong port or switched off."""


class MeterRefusedError(MeterUnreachableError):
    """The host answers, but refuses the connection on this port."""


class MeterSilentError(MeterError):
    """The connection stood, but no answer came in time, or it was closed instead of one."""


class MeterGarbledError(MeterError):
    """An answer came that is not Modbus, or not the answer to the question."""


class MeterRejectedError(MeterError):
    """The meter, or the gateway before it, answered with an exception code."""

    def __init__(self, message: str, *, code: int | None) -> None:
        """Keep the Modbus exception code."""
        super().__init__(message)
        self.code = code

    @property
    def is_about_registers(self) -> bool:
        """Return whether the meter objects to these registers rather than to being asked now."""
        return self.code in (1, 2, 3, 4)

    @property
    def is_about_unit(self) -> bool:
        """Return whether a gateway says that no device has this unit id."""
        return self.code in (10, 11)


class WrongMeterError(MeterError):
    """Another meter answers at this address: its counters are not this meter's."""

    def __init__(self, *, expected: str, found: str) -> None:
        """Keep both serial numbers."""
        super().__init__(f"the meter with serial number {found} answers instead of {expected}")
        self.expected = expected
        self.found = found


class MeterAuthError(MeterError):
    """The meter wants a password, or another one than it was given."""

    def __init__(self, message: str, *, kind: str) -> None:
        """Keep how it wants to be given: basic, digest, bearer, api_key, query or session."""
        super().__init__(message)
        self.kind = kind
