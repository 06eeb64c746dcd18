"""The quick way to read a footprint: of the form in which every home here writes it.

A hub that catches up reads thousands a second. What `writing.write` makes (the canonical form of
RFC 8785, items in the order of flows, every field there, no other) is read by one pattern, which
is the grammar of that form: what it matches is one JSON object with each key once, flat enough,
all ASCII. Everything else, be it right or wrong, is left to `reading`, which alone refuses: no
message is taken here that it would not take with the same result. The digest comes free: the
payload without `at`, `boot` and `seq` is the text that it is made of.
"""

from functools import lru_cache
import hashlib
import re
from typing import Final

from .decoding import MOST_BYTES
from .fields import ID, LARGEST_AMOUNT, LARGEST_NUMBER, LARGEST_REVISION, METHOD
from .message import DURATIONS, Flow, Footprint, Item, Kind, Level, Quality
from .topics import RESERVED_HOMES

_WHOLE: Final = r"(0|[1-9][0-9]{0,15})"
_SIGNED: Final = r"(0|-?[1-9][0-9]{0,15})"
# TEXT of the fields without quotes, backslashes, brackets and braces.
_TEXT: Final = r"([!#-Z^-z|~](?:[ !#-Z^-z|~]{0,62}[!#-Z^-z|~])?)"

_TOPIC: Final = re.compile(
    rf"cm/v1/({ID.pattern})/({ID.pattern})/up/fp/(0|[1-9][0-9]{{0,10}})", re.ASCII
)
_MESSAGE: Final = re.compile(
    rf'\{{"at":{_WHOLE},"boot":"({ID.pattern})",'
    rf'("clk":\{{"offset_ms":(?:null|{_SIGNED}),"synced":(true|false)\}},)'
    rf'("dur":{_WHOLE},"final":(true|false),"items":\[\{{([^\]]+)\}}\],'
    rf'"level":"([a-z]+)","method":"({METHOD.pattern})","rev":{_WHOLE},)'
    rf'"seq":{_WHOLE},("src":"({ID.pattern})","start":{_WHOLE},"sw":"{_TEXT}","v":1\}})',
    re.ASCII,
)
_ITEM: Final = re.compile(
    rf'"cf":(?:null|{_WHOLE}),"ci":\{{([^{{}}]+)\}},"cov":{_WHOLE},"flow":"([a-z_]+)",'
    rf'"mg":{_SIGNED},"q":"([a-z]+)","wh":{_WHOLE}',
    re.ASCII,
)
_INTENSITY: Final = re.compile(
    rf'"kind":"([a-z]+)","resolution":([1-9][0-9]{{0,6}}),'
    rf'"source":"{_TEXT}","version":"{_TEXT}","zone":"{_TEXT}"',
    re.ASCII,
)
_FLOWS: Final = {flow.value: flow for flow in Flow}
_QUALITIES: Final = {quality.value: quality for quality in Quality}
_LEVELS: Final = {level.value: level for level in Level}
_KINDS: Final = {kind.value: kind for kind in Kind}
_LARGEST_OFFSET: Final = 86_400_000


def read_quickly(topic: str, payload: bytes) -> Footprint | None:
    """Return the footprint in a message whatever time it is, None if it is of another form."""
    place = _TOPIC.fullmatch(topic)
    if place is None or len(payload) > MOST_BYTES or not payload.isascii():
        return None
    said = _MESSAGE.fullmatch(payload.decode("ascii"))
    if said is None:
        return None
    community, home, start_told = place.groups()
    (
        at, boot, clock, offset, synced, middle, duration, final, rows, level, method, revision,
        seq, end, source, start, software,
    ) = said.groups()  # fmt: skip
    items = _items(rows)
    footprint = Footprint(
        community=community,
        home=home,
        boot=boot,
        seq=int(seq),
        start=int(start),
        duration=int(duration),
        revision=int(revision),
        at=int(at),
        items=items or (),
        method=method,
        software=software,
        synced=synced == "true",
        offset_ms=None if offset is None else int(offset),
        level=_LEVELS.get(level, Level.CLEAR),
        is_final=final == "true",
    )
    if (
        items is None
        or level not in _LEVELS
        or source != home
        or home in RESERVED_HOMES
        or start != start_told
        or not _is_within(footprint)
    ):
        return None
    body = f'{{{clock}"community":"{community}",{middle}{end}'
    footprint.know_digest(hashlib.sha256(body.encode("ascii")).hexdigest())
    return footprint


def _is_within(footprint: Footprint) -> bool:
    """Return whether the numbers are within their limits and go together."""
    return (
        footprint.duration in DURATIONS
        and footprint.start % footprint.duration == 0
        and 1 <= footprint.seq <= LARGEST_NUMBER
        and footprint.revision <= LARGEST_REVISION
        and footprint.at <= LARGEST_NUMBER
        and (footprint.offset_ms is None or abs(footprint.offset_ms) <= _LARGEST_OFFSET)
        and (footprint.synced or not footprint.is_final)
    )


def _items(rows: str) -> tuple[Item, ...] | None:
    """Return the items between the braces of the first and the last, None for another form."""
    items = []
    before = ""
    for row in rows.split("},{"):
        said = _ITEM.fullmatch(row)
        if said is None:
            return None
        carbon_free, intensity, cov, flow, mg, q, wh = said.groups()
        known = _intensity(intensity)
        quality = _QUALITIES.get(q)
        if known is None or quality is None or flow not in _FLOWS or flow <= before:
            return None
        before = flow
        source, zone, kind, version, resolution = known
        item = Item(
            flow=_FLOWS[flow],
            wh=int(wh),
            mg=int(mg),
            source=source,
            zone=zone,
            kind=kind,
            version=version,
            resolution=resolution,
            coverage=int(cov),
            quality=quality,
            carbon_free=None if carbon_free is None else int(carbon_free),
        )
        if not _makes_sense(item):
            return None
        items.append(item)
    return tuple(items)


def _makes_sense(item: Item) -> bool:
    """Return whether an item's numbers are within their limits and fit its quality."""
    if item.quality is Quality.MISSING:
        return not (item.wh or item.mg or item.coverage) and item.carbon_free is None
    return (
        item.wh <= LARGEST_AMOUNT
        and -LARGEST_AMOUNT <= item.mg <= LARGEST_AMOUNT
        and item.coverage <= 10_000
        and (item.carbon_free is None or item.carbon_free <= item.wh)
        and (item.coverage > 0 or item.quality is not Quality.MEASURED)
    )


@lru_cache(maxsize=4096)
def _intensity(text: str) -> tuple[str, str, Kind, str, int] | None:
    """Return source, zone, kind, version and resolution; all homes of a zone tell the same."""
    said = _INTENSITY.fullmatch(text)
    if said is None:
        return None
    kind, resolution, source, version, zone = said.groups()
    if kind not in _KINDS or int(resolution) > 366 * 86400:
        return None
    return source, zone, _KINDS[kind], version, int(resolution)
