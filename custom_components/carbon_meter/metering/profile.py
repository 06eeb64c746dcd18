"""A meter family as data: what holds for every protocol."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Everything that is known about one family of meters.

    Each protocol adds where the quantities are found; see the `profile` module of its package.
    """

    id: str
    vendor: str
    name: str
    """What the family is called where the device does not say its model."""

    models: tuple[str, ...]
    phases: int
    protocol: str
    """The key of the form that the file has, and by it of the driver that reads the family."""

    quantities: tuple[str, ...]
    """What a meter of the family can say; a single meter may lack some."""

    max_power: float = 1e6
    """W that no installation of this family carries: beyond it a counter has jumped."""

    rollover: Mapping[str, float] = MappingProxyType({})
    """Wh at which a counter starts again from zero, by quantity."""

    export_positive: frozenset[str] = frozenset()
    """Makers, in small letters, whose meters of this family show export as positive power."""

    confirmed: bool = True
    """Whether more than one independent source gives this map."""

    category: str = ""
    sources: Mapping[str, str] = MappingProxyType({})
    """Where the facts come from, by the short names that single facts refer to."""

    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return the vendor and the family for people."""
        return f"{self.vendor} {self.name}"
