"""From a JSON document to the quantities of a reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from ..quantities import QUANTITIES
from ..readings import Fault, Reading
from .path import BoundPath
from .placeholders import Settings
from .profile import Field, JsonProfile
from .values import UnreadableValueError, checked


def complete_settings(profile: JsonProfile, settings: Settings) -> Settings:
    """Return the settings with the profile's own where none are given.

    Raises ValueError for one that is missing, or that the profile does not have.
    """
    if unknown := set(settings) - set(profile.settings):
        raise ValueError(f"{profile.id} has no setting {min(unknown)!r}")
    known = {name: settings.get(name, usual) for name, usual in profile.settings.items()}
    complete = {name: value for name, value in known.items() if value is not None}
    if missing := set(known) - set(complete):
        raise ValueError(f"{profile.id} needs the setting {min(missing)!r}")
    return complete


def combined(profile: JsonProfile, pages: Mapping[str, Any]) -> Any:
    """Return the document that the profile's expressions see."""
    names = profile.names
    return pages.get(names[0]) if len(names) == 1 else dict(pages)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Way:
    """A field for one meter."""

    field: Field
    plus: tuple[BoundPath, ...]
    minus: tuple[BoundPath, ...]
    when: BoundPath | None

    @classmethod
    def of(cls, field: Field, settings: Settings) -> Self:
        """Fill the settings in."""
        return cls(
            field=field,
            plus=tuple(path.bound(settings) for path in field.plus),
            minus=tuple(path.bound(settings) for path in field.minus),
            when=field.when.bound(settings) if field.when else None,
        )

    @property
    def place(self) -> str:
        """Return where the quantity lies, for people."""
        plus = " + ".join(path.text for path in self.plus)
        minus = " - ".join(path.text for path in self.minus)
        return " - ".join(filter(None, (plus, minus)))

    def value(self, document: Any) -> tuple[bool, Fraction | None]:
        """Return whether this way applies, and the value, None where the device has none.

        A sum of which a part is not known is not known. Raises UnreadableValueError.
        """
        if self.when is not None and not self.when.holds(document):
            return False, None
        raws = [path.find(document) for path in (*self.plus, *self.minus)]
        if all(raw is None for raw in raws):
            return False, None
        values = [self.field.coding.decode(raw) for raw in raws]
        total = Fraction(0)
        for number, value in enumerate(values):
            if value is None:
                return True, None
            total += value if number < len(self.plus) else -value
        return True, total


class Extractor:
    """Reads the quantities of one meter out of documents."""

    def __init__(self, profile: JsonProfile, settings: Settings) -> None:
        """Prepare the expressions; raises ValueError for settings that do not fit."""
        complete = complete_settings(profile, settings)
        self._valid = profile.valid.bound(complete) if profile.valid else None
        self._refused = profile.refused.bound(complete) if profile.refused else None
        self._ways: dict[str, list[_Way]] = {}
        for field in profile.fields:
            self._ways.setdefault(field.quantity, []).append(_Way.of(field, complete))

    def is_valid(self, document: Any) -> bool:
        """Return whether the device says that its values count."""
        return self._valid is None or self._valid.holds(document)

    def is_refused(self, document: Any) -> bool:
        """Return whether the document says that a password is missing."""
        return self._refused is not None and self._refused.holds(document)

    def reading(self, document: Any, moment: float) -> Reading:
        """Return the quantities in a document; what is unknown is absent, nonsense a fault."""
        values: dict[str, float] = {}
        faults: list[Fault] = []
        for key, ways in self._ways.items():
            for way in ways:
                try:
                    applies, value = way.value(document)
                    if value is not None:
                        values[key] = checked(value, QUANTITIES[key])
                except UnreadableValueError as err:
                    faults.append(Fault(quantity=key, register=way.place, reason=str(err)))
                    break
                if applies:
                    break
        return Reading(time=moment, values=values, faults=tuple(faults))
