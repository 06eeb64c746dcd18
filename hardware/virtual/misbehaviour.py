"""What is wrong with a meter at the moment: its faults, and what they do to a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from custom_components.carbon_meter.metering.modbus.registers import Function

from .device import Answer
from .faults import (
    BrokenFrame,
    Close,
    Freeze,
    Garbage,
    LastingFault,
    Late,
    NotAvailable,
    Refuse,
    Silent,
    Spike,
    SwapWords,
    WrongUnit,
)
from .image import Content, RefusedError, RegisterImage


@dataclass(slots=True)
class _Active:
    fault: LastingFault
    left: int | None


class Misbehaviour:
    """The faults that hold; at most one of each kind."""

    def __init__(self) -> None:
        """Start without a fault."""
        self._active: dict[type[LastingFault], _Active] = {}
        self._frozen: Mapping[str, float] = {}
        self._requests = 0

    @property
    def faults(self) -> tuple[LastingFault, ...]:
        """Return the faults that hold."""
        return tuple(active.fault for active in self._active.values())

    def add(self, fault: LastingFault, values: Mapping[str, float]) -> None:
        """Let a fault hold from now on; `values` is what the registers show now."""
        if isinstance(fault, Freeze):
            self._frozen = values
        self._active[type(fault)] = _Active(fault, fault.times)

    def clear(self, name: str | None = None) -> None:
        """End one fault by its name, or all."""
        for kind in [kind for kind in self._active if name in (None, kind.name)]:
            del self._active[kind]

    def answer(
        self,
        image: RegisterImage,
        values: Callable[[], Mapping[str, float]],
        function: Function,
        address: int,
        count: int,
    ) -> Answer:
        """Return what a request brings. `values` gives what the registers should show."""
        self._requests += 1
        delay = late.seconds if (late := self._take(Late)) else 0.0
        if self._take(Close):
            return Answer(close=True, delay=delay)
        if self._take(Silent):
            return Answer(silent=True)
        broken = bool(self._take(BrokenFrame))
        unit = wrong.unit if (wrong := self._take(WrongUnit)) else None
        if refuse := self._take(Refuse):
            return Answer(code=refuse.code, delay=delay, unit=unit, broken=broken)
        try:
            if self._active:
                touched = image.touched(function, address, count)
                content = self._content(image, touched, values)
            else:
                content = Content(values=values())
            words = image.words(function, address, count, content)
        except RefusedError as err:
            return Answer(code=err.code, delay=delay, unit=unit, broken=broken)
        return Answer(words=tuple(words), delay=delay, unit=unit, broken=broken)

    def _content(
        self,
        image: RegisterImage,
        touched: frozenset[str],
        values: Callable[[], Mapping[str, float]],
    ) -> Content:
        """Return what the registers hold, faults and all.

        A fault in some registers waits for a request that asks for one of them.
        """
        shown = self._frozen if self._take(Freeze) else values()
        if not self._active:
            return Content(values=shown)
        spike = self._peek(Spike)
        if spike and spike.quantity in touched:
            self._take(Spike)
            shown = {**shown, spike.quantity: spike.value}
        unavailable: frozenset[str] = frozenset()
        if missing := self._peek(NotAvailable):
            unavailable = touched.intersection(missing.quantities or touched)
            unavailable = frozenset(filter(image.can_be_unavailable, unavailable))
            if unavailable:
                self._take(NotAvailable)
        garbage: frozenset[str] = frozenset()
        if noise := self._peek(Garbage):
            garbage = touched.intersection(noise.quantities or touched)
            if garbage:
                self._take(Garbage)
        return Content(
            values=shown,
            unavailable=unavailable,
            swapped=self._take(SwapWords) is not None,
            garbage=garbage,
            seed=self._requests,
        )

    def _peek[F: LastingFault](self, kind: type[F]) -> F | None:
        """Return a fault that holds."""
        active = self._active.get(kind)
        return active.fault if active and isinstance(active.fault, kind) else None

    def _take[F: LastingFault](self, kind: type[F]) -> F | None:
        """Return a fault that holds, counting down the requests that it has left."""
        fault = self._peek(kind)
        if fault is not None and (active := self._active[kind]).left is not None:
            active.left -= 1
            if active.left <= 0:
                del self._active[kind]
        return fault
