"""Frames of DL/T 645-2007: those of real meters, and whatever else a line carries."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.dlt645.frames import (
    ANYBODY,
    LONGEST,
    READ,
    READ_ADDRESS,
    Frame,
    encode_frame,
    is_address,
    split_frames,
    take_frame,
    wildcard,
)

ADDRESSES = st.text("0123456789", min_size=12, max_size=12)
FRAMES = st.builds(
    Frame,
    address=ADDRESSES,
    control=st.integers(0, 255),
    data=st.binary(max_size=LONGEST),
)


def encoded(frame: Frame) -> bytes:
    return encode_frame(frame.address, frame.control, frame.data)


def taken(data: bytes) -> Frame | None:
    return take_frame(bytearray(data))


@pytest.mark.parametrize(
    ("raw", "address", "control", "data"),
    [
        # The example of the standard, from a commentary of it (CSDN, rat412).
        ("68 68 40 98 09 21 04 68 11 04 33 33 34 33 20 16", "042109984068", 0x11, "00000100"),
        # From a log of a real meter (frames 1, 2 and 4 of test_dlt645_values).
        ("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16", "000000000161", 0x11, "00000100"),
        (
            "68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16",
            "000000000161",
            0x91,
            "00010102 0110",
        ),
    ],
)
def test_known_frames(raw, address, control, data) -> None:
    whole = bytes.fromhex(raw)

    assert taken(whole) == Frame(address=address, control=control, data=bytes.fromhex(data))
    assert encode_frame(address, control, bytes.fromhex(data)) == b"\xfe" * 4 + whole


def test_the_question_who_is_there() -> None:
    """As many public programs send it."""
    assert encode_frame(ANYBODY, READ_ADDRESS).hex().upper() == "FEFEFEFE68AAAAAAAAAAAA681300DF16"


def test_wildcards_stand_for_the_first_digits() -> None:
    assert wildcard("12") == "AAAAAAAAAA12"
    assert encode_frame(wildcard("3412"), READ)[5:11] == bytes.fromhex("1234AAAAAAAA")


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890123", "12345678901x", "\uff11" * 12]
)
def test_what_is_no_address(text) -> None:
    assert not is_address(text)
    with pytest.raises(ValueError, match="is not an address"):
        encode_frame(text, READ)


def test_wildcards_behind_digits_and_too_much_data_are_refused() -> None:
    with pytest.raises(ValueError, match="is not an address"):
        encode_frame("12AAAAAAAAAA", READ)
    with pytest.raises(ValueError, match="256 bytes do not fit"):
        encode_frame("0" * 12, READ, bytes(256))
    assert not is_address(ANYBODY)
    assert is_address("000000000161")


@given(FRAMES)
def test_what_is_sent_is_what_is_read(frame) -> None:
    assert taken(encoded(frame)) == frame


@given(FRAMES, st.binary(max_size=40).filter(lambda noise: 0x68 not in noise))
def test_noise_before_a_frame_does_no_harm(frame, noise) -> None:
    received = bytearray(noise + encoded(frame))

    assert take_frame(received) == frame
    assert received == b""


def test_noise_that_looks_like_the_beginning_of_a_frame_does_no_harm() -> None:
    frame = Frame(address="000000000161", control=0x91, data=b"\x00\x00\x01\x00\x26\x00\x00\x00")
    false_start = bytes.fromhex("68 000000000000 68 91 C8 3333")

    for noise in (false_start, b"\x68", b"\x68" * 7, false_start * 2):
        assert taken(noise + encoded(frame)) == frame, noise.hex()


@given(FRAMES, FRAMES, st.lists(st.integers(1, 40)))
def test_frames_may_come_in_any_pieces(first, second, sizes) -> None:
    stream = encoded(first) + encoded(second)
    received = bytearray()
    frames = []
    while stream:
        size = sizes.pop() if sizes else len(stream)
        received += stream[:size]
        stream = stream[size:]
        while (frame := take_frame(received)) is not None:
            frames.append(frame)

    assert frames == [first, second]


@given(FRAMES, st.data())
def test_a_frame_with_a_wrong_byte_is_none(frame, data) -> None:
    whole = bytearray(encoded(frame))
    place = data.draw(st.integers(4, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))

    assert taken(whole) != frame


def test_a_wrong_checksum_and_a_wrong_end() -> None:
    whole = encode_frame("000000000161", 0x91, b"\x01\x02\x03\x04")

    assert taken(whole[:-2] + b"\x00\x16") is None
    assert taken(whole[:-1] + b"\x17") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(data) -> None:
    received = bytearray(data)
    frame = take_frame(received)
    assert frame is None or len(frame.data) < len(data)
    assert data.endswith(received)
    split_frames(data)


@given(st.lists(FRAMES, max_size=4))
def test_frames_are_told_from_noise(frames) -> None:
    assert split_frames(b"".join(map(encoded, frames))) == (frames, 0)


def test_noise_is_counted() -> None:
    frame = Frame(address="000000000161", control=0x91, data=b"\x01")
    whole = encoded(frame)

    assert split_frames(b"\x00\xff" + whole) == ([frame], 0)
    assert split_frames(b"\x01\x02" + whole + b"\x03" + whole + b"\x04") == ([frame, frame], 4)
    assert split_frames(whole[:-1]) == ([], len(whole) - 1 - 4 - whole.count(0))
    assert split_frames(b"") == ([], 0)
