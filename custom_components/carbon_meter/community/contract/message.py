"""The footprint: what a home tells its community of one period, in whole numbers.

Energy is in Wh and carbon in mgCO2eq, as integers: sums are then the same to the last digit on
every engine. The numbered requirements are in `clauses`, on the wire it is read by `reading`
and written by `writing`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
import json
from typing import Any, Final

VERSION: Final = 1
"""The major version of the messages here."""

DURATIONS: Final = (900, 1800, 3600, 86400)
"""Seconds that a period may have."""

_HOUR: Final = 3600
"""Seconds; a shorter period belongs where its hour does."""

RESERVED_LEVELS: Final = ("masked",)
"""Kept free for sums that only the community can unmask; refused in this version."""


def middle_of(start: int, duration: int) -> int:
    """Return the moment by which a period belongs to a day, and to an id of its home (CM-44).

    It is that of its hour if the period is shorter; a moment has no duration. All in seconds, the
    moments since 1970 UTC.
    """
    if 0 < duration < _HOUR:
        start, duration = start - start % _HOUR, _HOUR
    return start + duration // 2


class Flow(StrEnum):
    """What flowed, always counted upwards: import and export are two flows."""

    GRID_IMPORT = "grid_import"
    GRID_EXPORT = "grid_export"
    PV = "pv"
    GAS = "gas"
    HEAT = "heat"
    WATER = "water"
    FUEL = "fuel"
    BATTERY_IN = "battery_in"
    BATTERY_OUT = "battery_out"


class Quality(StrEnum):
    """How the energy of a flow is known, best first."""

    MEASURED = "measured"
    SUBSTITUTED = "substituted"
    """Taken from another measurement, such as the invoice or a second meter."""

    ESTIMATED = "estimated"
    MISSING = "missing"
    """Nothing is known: a gap, not a zero."""


class Kind(StrEnum):
    """Which carbon intensity weighed the energy; sums never mix them."""

    AVERAGE = "average"
    MARGINAL = "marginal"
    RESIDUAL = "residual"


class Level(StrEnum):
    """How much of the home a message shows; see also RESERVED_LEVELS."""

    CLEAR = "clear"
    PSEUDONYM = "pseudonym"
    """The home's id is one that is changed from time to time."""


type Key = tuple[str, str, int, int]
"""Community, home, start and duration: what revisions have in common."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One flow of the period with its carbon."""

    flow: Flow
    wh: int
    """Wh, never negative."""

    mg: int
    """mgCO2eq; negative where carbon is taken away."""

    source: str
    """Who says the intensity."""

    zone: str
    kind: Kind
    version: str
    """Of the factor: another one makes another revision."""

    resolution: int
    """Seconds for which one value of the intensity stands."""

    coverage: int
    """Parts of 10000 of the period in which the flow was measured."""

    quality: Quality
    carbon_free: int | None = None
    """Wh of `wh` that came from carbon-free sources, None if unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Footprint:
    """One revision of one period of one home."""

    version: int = VERSION
    community: str
    home: str
    boot: str
    """A random name of the sender's present run; numbers are counted within it."""

    seq: int
    """From 1 upwards in the order of sending; a message sent again has a new one."""

    start: int
    """Seconds since 1970 UTC, a multiple of the duration."""

    duration: int
    """Seconds, one of DURATIONS."""

    revision: int
    """From 0 upwards; the highest is what holds."""

    at: int
    """Milliseconds since 1970 UTC by the home's clock when this revision was made."""

    items: tuple[Item, ...]
    method: str
    """`id@version` of how carbon was computed."""

    software: str
    synced: bool
    """Whether the home's clock follows a time server."""

    offset_ms: int | None
    """By how much the home's clock is ahead, None if unknown."""

    level: Level
    is_final: bool
    """Whether the home expects no better figures."""

    _digest: str | None = field(default=None, init=False, repr=False, compare=False)
    """Once it is known; a copy with changes has its own."""

    @property
    def key(self) -> Key:
        """Return what all revisions of this period of this home have in common."""
        return (self.community, self.home, self.start, self.duration)

    @property
    def end(self) -> int:
        """Return when the period ends, in seconds since 1970 UTC; it does not belong to it."""
        return self.start + self.duration

    @property
    def digest(self) -> str:
        """Return the SHA-256 by which equal revisions are compared, as hexadecimal digits.

        When, in which run and as which message it was sent makes no other revision.
        """
        if self._digest is None:
            body = as_object(self)
            for name in ("at", "boot", "seq"):
                del body[name]
            text = canonical(body | {"community": self.community})
            self.know_digest(hashlib.sha256(text).hexdigest())
        return self._digest or ""

    def know_digest(self, digest: str) -> None:
        """Keep the digest for whoever asks; it is that of this footprint, found another way."""
        object.__setattr__(self, "_digest", digest)


def as_object(footprint: Footprint) -> dict[str, Any]:
    """Return the footprint as the object that goes over the wire, items in the order of names."""
    return {
        "v": footprint.version,
        "src": footprint.home,
        "boot": footprint.boot,
        "seq": footprint.seq,
        "start": footprint.start,
        "dur": footprint.duration,
        "rev": footprint.revision,
        "at": footprint.at,
        "items": [_item(item) for item in sorted(footprint.items, key=lambda item: item.flow)],
        "method": footprint.method,
        "sw": footprint.software,
        "clk": {"synced": footprint.synced, "offset_ms": footprint.offset_ms},
        "level": footprint.level.value,
        "final": footprint.is_final,
    }


def _item(item: Item) -> dict[str, Any]:
    """Return one item as it goes over the wire."""
    return {
        "flow": item.flow.value,
        "wh": item.wh,
        "mg": item.mg,
        "ci": {
            "source": item.source,
            "zone": item.zone,
            "kind": item.kind.value,
            "version": item.version,
            "resolution": item.resolution,
        },
        "cov": item.coverage,
        "q": item.quality.value,
        "cf": item.carbon_free,
    }


def canonical(value: dict[str, Any]) -> bytes:
    """Return the one form of an object of texts, whole numbers and lists of them.

    Keys in order, no spaces, UTF-8: what RFC 8785 prescribes, as the messages have no
    fractions and only ASCII texts.
    """
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )
    # Half a surrogate pair goes through here: whoever decodes it refuses it with its clause.
    return text.encode(errors="surrogatepass")
