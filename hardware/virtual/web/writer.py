"""Quantities put into pages: a profile's fields the other way round."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from custom_components.carbon_meter.metering.json.extraction import combined
from custom_components.carbon_meter.metering.json.path import BoundPath, Path
from custom_components.carbon_meter.metering.json.placeholders import Settings
from custom_components.carbon_meter.metering.json.profile import Field, JsonProfile
from custom_components.carbon_meter.metering.quantities import QUANTITIES

from .forms import Form, Unknown, factor_beside, rounded, unknown, written
from .models import Model
from .places import NoPlaceError, Step, found, put, steps_of


class Writer:
    """Puts the quantities of one moment into pages."""

    def __init__(
        self, profile: JsonProfile, model: Model, settings: Settings, pages: dict[str, Any]
    ) -> None:
        """Take the pages of a device as they are before this meter is written into them."""
        self._profile = profile
        self._model = model
        self._settings = settings
        self._pages = pages
        self._single = len(profile.names) == 1
        self._raw: dict[tuple[Step, ...], tuple[Decimal, Fraction]] = {}
        """What was written, with the factor that makes a quantity of it."""

    def write(self, values: Mapping[str, float], gone: Mapping[str, Unknown]) -> dict[str, float]:
        """Write the quantities, sums of others last; return what can be read of them."""
        fields = {key: self._field(key) for key in self._profile.quantities if key in values}
        chosen = {key: each for key, each in fields.items() if each is not None}
        for key, each in sorted(chosen.items(), key=lambda item: len(self._steps(item[1]))):
            self._write_field(key, each, Fraction(values[key]))
        shown = {key: self._shown(each) for key, each in chosen.items()}
        lost: set[tuple[Step, ...]] = set()
        for key in gone.keys() & chosen.keys():
            lost |= self._lose(chosen[key], gone[key])
        return {key: shown[key] for key in chosen if not lost & set(self._steps(chosen[key]))}

    def _field(self, key: str) -> Field | None:
        """Return the way to a quantity that this model of the family goes."""
        for each in self._profile.fields:
            if each.quantity != key:
                continue
            when = _bound(each.when, tuple(self._settings.items())) if each.when else None
            try:
                steps = self._steps(each)
            except NoPlaceError:
                continue
            if when is not None and not when.holds(self._document()):
                continue
            if self._model.exact and any(found(self._document(), s) is None for s in steps):
                continue
            return each
        return None

    def _document(self) -> Any:
        return combined(self._profile, self._pages)

    def _steps(self, each: Field) -> list[tuple[Step, ...]]:
        """Return the places of a field's terms."""
        chosen = tuple(self._settings.items())
        return [_place(path, chosen) for path in (*each.plus, *each.minus)]

    def _write_field(self, key: str, each: Field, value: Fraction) -> None:
        """Write a value over the places that make it up, as far as they are free."""
        steps = self._steps(each)
        plus, minus = steps[: len(each.plus)], steps[len(each.plus) :]
        rest = value
        for place in steps:
            if place in self._raw:
                number, factor = self._raw[place]
                rest -= Fraction(number) * factor * (1 if place in plus else -1)
        free_plus = [place for place in plus if place not in self._raw]
        free_minus = [place for place in minus if place not in self._raw]
        for place in (*free_plus, *free_minus):
            self._put(key, each, place, Fraction(0))
        if rest >= 0 and free_plus:
            self._put(key, each, free_plus[0], rest)
        elif free_minus:
            self._put(key, each, free_minus[0], -rest)
        elif free_plus:
            self._put(key, each, free_plus[0], rest)

    def _put(self, key: str, each: Field, place: tuple[Step, ...], value: Fraction) -> None:
        """Write one number."""
        quantity, document = QUANTITIES[key], self._document()
        beside = factor_beside(found(document, place), quantity)
        form = Form(self._model.form)
        if form is Form.DECIMAL_COMMA and not each.coding.decimal_comma:
            form = Form.NUMBER
        factor = beside or each.coding.factor
        if form is Form.TEXT_WITH_UNIT:
            factor = Fraction(1)
        number = rounded(value / factor)
        self._raw[place] = (number, factor)
        content = written(number, form, quantity)
        if len(place) == 1 and not self._single:
            self._pages[str(place[0])] = content
        else:
            self._make_page(place)
            put(self._document(), place, content, create=not self._model.exact)

    def _make_page(self, place: tuple[Step, ...]) -> None:
        """Begin a page that the model does not prescribe."""
        name = self._profile.names[0] if self._single else str(place[0])
        inner = place[0] if self._single else place[1]
        self._pages.setdefault(name, {} if isinstance(inner, str) else [])

    def _shown(self, each: Field) -> float:
        """Return what the written numbers add up to."""
        total = Fraction(0)
        for number, place in enumerate(self._steps(each)):
            raw, factor = self._raw[place]
            total += Fraction(raw) * factor * (1 if number < len(each.plus) else -1)
        return float(total)

    def _lose(self, each: Field, form: Unknown) -> set[tuple[Step, ...]]:
        """Let the device not know a field; return the places that hold no number now."""
        steps = self._steps(each)
        for place in steps:
            if form is Unknown.ABSENT:
                self._remove(place)
            elif len(place) == 1 and not self._single:
                self._pages[str(place[0])] = unknown(form)
            else:
                put(self._document(), place, unknown(form), create=False)
        return set(steps)

    def _remove(self, place: tuple[Step, ...]) -> None:
        """Take a key away, or what stands in a list out of it."""
        if len(place) == 1 and not self._single:
            self._pages.pop(str(place[0]), None)
            return
        holder = found(self._document(), place[:-1])
        last = place[-1]
        if isinstance(holder, dict):
            holder.pop(str(last), None)
        elif isinstance(last, int):
            holder[last] = None
        else:
            holder.remove(found(self._document(), place))


@cache
def _bound(path: Path, settings: tuple[tuple[str, str | int], ...]) -> BoundPath:
    """Return an expression for one meter; pages are written often, expressions compiled once."""
    return path.bound(dict(settings))


@cache
def _place(path: Path, settings: tuple[tuple[str, str | int], ...]) -> tuple[Step, ...]:
    """Return the way to the value of an expression; raises NoPlaceError."""
    return steps_of(_bound(path, settings).expression.parsed)
