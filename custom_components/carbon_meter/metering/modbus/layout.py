"""Where each register lies in the answers of a full reading, and what the answers say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Self

from ..readings import Fault
from .blocks import Block, Span
from .profile import Option
from .quick import Plain, QuickReader
from .registers import Function, ImplausibleError, NotAvailableError, Register


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A register that is to be read, and the option that it belongs to, if any."""

    register: Register
    option: Option | None = None

    def spans(self, base: int) -> tuple[Span, ...]:
        """Return what has to be read for it: itself, then what its value depends on."""
        register = self.register
        own = Span(
            function=register.function,
            address=base + register.address,
            words=register.words,
            alone=register.alone,
        )
        return (own, *self._others(base), *self._factors(base))

    def needed(self, base: int) -> tuple[Span, ...]:
        """Return the spans without which there is no value."""
        optional = len(self.register.plus)
        own, *others = self.spans(base)
        return (own, *others[optional:])

    def through(self, function: Function) -> Self:
        """Return the same with its registers where another function code finds them."""
        register = replace(
            self.register,
            function=function,
            ratios=tuple(replace(ratio, function=function) for ratio in self.register.ratios),
        )
        return replace(self, register=register)

    def _others(self, base: int) -> Iterable[Span]:
        """Return the numbers that are added and subtracted."""
        register = self.register
        for address in (*register.plus, *register.minus):
            yield Span(function=register.function, address=base + address, words=register.words)

    def _factors(self, base: int) -> Iterable[Span]:
        """Return the ratios and the scale factor."""
        register = self.register
        for ratio in register.ratios:
            yield Span(function=ratio.function, address=base + ratio.address, words=ratio.words)
        if register.scale_register is not None:
            yield Span(function=register.function, address=base + register.scale_register, words=1)


type _Place = tuple[int, int, int]
"""Request, and from where to where in its answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    """Where a register and what belongs to it lie in the answers."""

    wanted: Wanted
    own: _Place
    plus: tuple[_Place, ...]
    minus: tuple[_Place, ...]
    ratios: tuple[_Place, ...]
    scale: _Place | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What one register said: a value, a fault, or neither where it has none."""

    wanted: Wanted
    value: float | None = None
    fault: Fault | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The requests of one full reading, and where each register lies in their answers."""

    requests: tuple[tuple[Function, int, int], ...]
    fields: tuple[_Field, ...]
    base: int
    quick: QuickReader
    """Reads the fields that are plain numbers."""

    special: tuple[int, ...]
    """The other fields."""

    @classmethod
    def of(cls, wanted: Iterable[Wanted], blocks: Sequence[Block], base: int) -> Self:
        """Lay out the registers that the blocks bring with all that they depend on."""
        # By span: what is read alone lies in its own request, also where another passes over it.
        places = {
            span: (number, span.address - block.address, span.end - block.address)
            for number, block in enumerate(blocks)
            for span in block.spans
        }
        fields = [
            _field(item, [places.get(span) for span in item.spans(base)])
            for item in wanted
            if all(span in places for span in item.needed(base))
        ]
        plain = [item for index, field in enumerate(fields) if (item := _plain(index, field))]
        quick = {item.index for item in plain}
        return cls(
            requests=tuple((block.function, block.address, block.words) for block in blocks),
            fields=tuple(fields),
            base=base,
            quick=QuickReader(plain, [block.words for block in blocks]),
            special=tuple(index for index in range(len(fields)) if index not in quick),
        )

    def decode(self, contents: Sequence[Sequence[int]]) -> list[Said]:
        """Return what each register says in the words of each request."""
        return [self._said(field, contents) for field in self.fields]

    def read(self, contents: Sequence[Sequence[int]]) -> tuple[dict[str, float], list[Fault]]:
        """Return the same as values by quantity and faults, where there is nothing to choose."""
        values: dict[str, float] = {}
        faults: list[Fault] = []
        for index in (*self.quick.read(contents, values), *self.special):
            said = self._said(self.fields[index], contents)
            if said.value is not None:
                values[said.wanted.register.quantity] = said.value
            elif said.fault is not None:
                faults.append(said.fault)
        return values, faults

    def _said(self, field: _Field, contents: Sequence[Sequence[int]]) -> Said:
        register = field.wanted.register

        def words(place: _Place) -> Sequence[int]:
            request, start, end = place
            return contents[request][start:end]

        try:
            if not (field.scale or field.ratios or field.plus or field.minus):
                return Said(wanted=field.wanted, value=register.decode(words(field.own)))
            ratio = Fraction(1)
            for known, place in zip(register.ratios, field.ratios, strict=True):
                ratio *= known.decode(words(place))
            value = register.decode(
                words(field.own),
                0 if field.scale is None else register.exponent(words(field.scale)[0]),
                plus=map(words, field.plus),
                minus=map(words, field.minus),
                ratio=ratio,
            )
        except NotAvailableError:
            return Said(wanted=field.wanted)
        except ImplausibleError as err:
            fault = Fault(
                quantity=register.quantity,
                register=register.place(self.base),
                reason=f"implausible value {err}",
            )
            return Said(wanted=field.wanted, fault=fault)
        return Said(wanted=field.wanted, value=value)


def _plain(index: int, field: _Field) -> Plain | None:
    """Return a field as a plain number, None where it takes more to know its value."""
    if field.wanted.register.coding or field.plus or field.minus or field.ratios:
        return None
    request, start, end = field.own
    return Plain(
        register=field.wanted.register,
        index=index,
        request=request,
        start=start,
        end=end,
        scale=field.scale[:2] if field.scale else None,
    )


def _field(wanted: Wanted, places: Sequence[_Place | None]) -> _Field:
    """Return the places by what they are for; only what is added may be without one."""
    register = wanted.register
    known = iter(places)

    def take(count: int) -> tuple[_Place, ...]:
        return tuple(place for _ in range(count) if (place := next(known)) is not None)

    (own,) = take(1)
    plus, minus = take(len(register.plus)), take(len(register.minus))
    ratios, scale = take(len(register.ratios)), take(register.scale_register is not None)
    return _Field(
        wanted=wanted,
        own=own,
        plus=plus,
        minus=minus,
        ratios=ratios,
        scale=scale[0] if scale else None,
    )
