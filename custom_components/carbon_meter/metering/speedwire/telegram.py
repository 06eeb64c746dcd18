r"""One datagram of an SMA energy meter, taken apart.

Layout by SMA's technical information EMETER-Protokoll-TI-en-10 (SMA Energy Meter Protocol), as
public descriptions give it: "SMA\0", tag 02A0 with the group, tag 0010 with the protocol 6069,
SUSyID, serial number, ticker and OBIS blocks, and an empty tag as the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import struct
from types import MappingProxyType
from typing import Final

from ..errors import MeterGarbledError

CURRENT: Final = 4
"""Type of a block with a value of now, in 32 bits."""

COUNTER: Final = 8
"""Type of a block with a counter, in 64 bits."""

_HEAD: Final = struct.Struct(">4sHH4sHHHHII")
"""Signature, length and tag of the group, group, length and tag of the data, protocol, SUSyID,
serial number, ticker."""

_SIGNATURE: Final = b"SMA\0"
_GROUP_TAG: Final = (4, 0x02A0)
_DATA_TAG: Final = 0x0010
_METER_PROTOCOL: Final = 0x6069
_COUNTED_FROM: Final = 16
"""Where the bytes begin that the length of the data counts."""

_END: Final = b"\0\0\0\0"
_MAKERS_OWN: Final = 128
"""Measuring channel from which on blocks are the maker's own, always 32 bits."""

_FIRMWARE: Final = (0x9000, 0, 0)
_LENGTHS: Final = {CURRENT: 4, COUNTER: 8}


class NoTelegramError(MeterGarbledError):
    """A datagram is not, or not wholly, one of an energy meter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeedwireMessage:
    """What one energy meter said at one moment."""

    susy_id: int
    """The kind of device."""

    serial: int
    ticker: int
    """Milliseconds on the meter's clock, which starts again from zero at 2³²."""

    values: Mapping[tuple[int, int], int]
    """Raw values by channel and type, `CURRENT` or `COUNTER`; those of tariff 0."""

    firmware: str
    """Empty where the meter does not tell it."""

    time: float
    """When it was heard, in seconds since 1970 UTC."""


def parse_telegram(datagram: bytes, time: float) -> SpeedwireMessage:
    """Return what a datagram says that was heard at a time (seconds since 1970 UTC).

    Blocks with channels that nobody knows are kept, the maker's own are left out.
    Raises NoTelegramError for what is not a whole telegram of an energy meter: the same
    group carries the discovery and the inverters.
    """
    if len(datagram) < _HEAD.size:
        raise NoTelegramError(f"{len(datagram)} bytes are too few for a telegram")
    signature, *group_tag, _, length, tag, protocol, susy_id, serial, ticker = _HEAD.unpack_from(
        datagram
    )
    if signature != _SIGNATURE or tuple(group_tag) != _GROUP_TAG:
        raise NoTelegramError("not Speedwire")
    if tag != _DATA_TAG or protocol != _METER_PROTOCOL:
        raise NoTelegramError("not from an energy meter")
    end = _COUNTED_FROM + length
    if end < _HEAD.size or datagram[end : end + len(_END)] != _END:
        raise NoTelegramError("the telegram is cut off")
    values: dict[tuple[int, int], int] = {}
    firmware = ""
    place = _HEAD.size
    while place < end:
        kind, raw, place = _block(datagram, place, end)
        channel, measured, tariff = kind
        if kind == _FIRMWARE:
            firmware = _version(raw)
        elif channel >> 8 < _MAKERS_OWN and tariff == 0:
            if (channel, measured) in values:
                raise NoTelegramError(f"channel {channel} is there twice")
            values[channel, measured] = raw
    return SpeedwireMessage(
        susy_id=susy_id,
        serial=serial,
        ticker=ticker,
        values=MappingProxyType(values),
        firmware=firmware,
        time=time,
    )


def _block(datagram: bytes, place: int, end: int) -> tuple[tuple[int, int, int], int, int]:
    """Return channel, type and tariff of a block, its value, and where the next one begins."""
    if place + 4 > end:
        raise NoTelegramError("a block is cut off")
    channel, measured, tariff = struct.unpack_from(">HBB", datagram, place)
    length = 4 if channel >> 8 >= _MAKERS_OWN else _LENGTHS.get(measured)
    if length is None:
        raise NoTelegramError(f"channel {channel} has the unknown type {measured}")
    start = place + 4
    if start + length > end:
        raise NoTelegramError("a block is cut off")
    raw = int.from_bytes(datagram[start : start + length])
    return (channel, measured, tariff), raw, start + length


def _version(raw: int) -> str:
    """Return a firmware version as SMA writes it, for instance 2.0.16.R."""
    major, minor, build, revision = raw.to_bytes(4)
    letter = chr(revision) if chr(revision).isascii() and chr(revision).isalnum() else str(revision)
    return f"{major}.{minor}.{build}.{letter}"
