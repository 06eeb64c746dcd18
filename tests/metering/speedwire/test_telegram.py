"""Telegrams are taken apart exactly, and nothing else is taken for one."""

from hypothesis import example, given, strategies as st
import pytest

from custom_components.carbon_meter.metering.speedwire.listener import DISCOVERY_REQUEST
from custom_components.carbon_meter.metering.speedwire.telegram import (
    COUNTER,
    CURRENT,
    NoTelegramError,
    parse_telegram,
)
from tests.metering.speedwire.captures import ENERGY_METER, HOME_MANAGER

BLOCKS = 28


def telegram(blocks: bytes, *, length: int | None = None, end: bytes = bytes(4)) -> bytes:
    """Return a telegram with blocks of its own."""
    size = 12 + len(blocks) if length is None else length
    return ENERGY_METER[:12] + size.to_bytes(2) + ENERGY_METER[14:BLOCKS] + blocks + end


def test_a_real_energy_meter() -> None:
    message = parse_telegram(ENERGY_METER, 1000.0)

    assert (message.susy_id, message.serial, message.ticker) == (349, 1901403938, 2481853346)
    assert message.firmware == "2.0.16.R"
    assert message.time == 1000.0
    assert message.values[1, CURRENT] == 6347
    assert message.values[1, COUNTER] == 0x3950E5180
    assert message.values[32, CURRENT] == 225757
    assert (14, CURRENT) not in message.values
    assert len(message.values) == 31 + 1 + 24 + 2


def test_a_real_home_manager() -> None:
    message = parse_telegram(HOME_MANAGER, 1000.0)

    assert (message.susy_id, message.serial, message.ticker) == (372, 3014003406, 0x9DC60339)
    assert message.firmware == "2.18.14.R"
    assert message.values[2, CURRENT] == 6997
    assert message.values[14, CURRENT] == 49987
    assert message.values[1, COUNTER] == 1602312480


@pytest.mark.parametrize("capture", [ENERGY_METER, HOME_MANAGER])
def test_a_telegram_that_is_cut_off_anywhere_is_none(capture) -> None:
    for size in range(len(capture)):
        with pytest.raises(NoTelegramError):
            parse_telegram(capture[:size], 0.0)


@pytest.mark.parametrize(
    "datagram",
    [
        DISCOVERY_REQUEST,
        bytes.fromhex("534d4100000402a000000001000200000001"),  # the answer to it
        ENERGY_METER[:50] + bytes(4),
        b"X" + ENERGY_METER[1:],
        ENERGY_METER[:16] + b"\x60\x65" + ENERGY_METER[18:],  # an inverter
        ENERGY_METER[:14] + b"\x00\x20" + ENERGY_METER[16:],
        ENERGY_METER[:4] + b"\x00\x05" + ENERGY_METER[6:],
        telegram(b"", length=3),
        telegram(b"", end=b"\0\0\0\1"),
        telegram(bytes.fromhex("000104000000")),
        telegram(bytes.fromhex("0001")),
        telegram(bytes.fromhex("0001070000000001")),
        telegram(bytes.fromhex("00010400000000010001040000000002")),
    ],
)
def test_what_is_no_telegram_of_a_meter(datagram) -> None:
    with pytest.raises(NoTelegramError):
        parse_telegram(datagram, 0.0)


def test_unknown_channels_tariffs_and_the_makers_own_blocks_do_no_harm() -> None:
    blocks = bytes.fromhex(
        "0063040000000007"  # a channel that nobody knows
        "0001080100000000000000ff"  # a tariff
        "9001070312345678"  # the maker's own
        "000e04000000c350"
    )

    message = parse_telegram(telegram(blocks), 0.0)

    assert message.values == {(99, CURRENT): 7, (14, CURRENT): 50000}
    assert message.firmware == ""


def test_a_revision_that_is_no_letter_is_a_number() -> None:
    message = parse_telegram(telegram(bytes.fromhex("9000000001020300")), 0.0)

    assert message.firmware == "1.2.3.0"


@given(st.binary(max_size=700))
@example(ENERGY_METER[:BLOCKS] + bytes(600))
def test_any_bytes_are_a_telegram_or_are_refused(datagram) -> None:
    with pytest.raises(NoTelegramError):
        parse_telegram(datagram, 0.0)


@given(st.binary(max_size=120), st.integers(0, 0xFFFF))
def test_any_blocks_are_read_or_refused(blocks, length) -> None:
    for datagram in (telegram(blocks), telegram(blocks, length=length)):
        try:
            message = parse_telegram(datagram, 0.0)
        except NoTelegramError:
            continue
        for (channel, measured), raw in message.values.items():
            assert channel < 0x8000
            assert 0 <= raw < 1 << 8 * measured


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 0x7FFF), st.sampled_from([CURRENT, COUNTER])),
        st.integers(0, 0xFFFFFFFF),
        max_size=60,
    )
)
def test_what_is_sent_is_what_is_read(values) -> None:
    blocks = b"".join(
        channel.to_bytes(2) + bytes((measured, 0)) + raw.to_bytes(measured)
        for (channel, measured), raw in values.items()
    )

    assert parse_telegram(telegram(blocks), 0.0).values == values
