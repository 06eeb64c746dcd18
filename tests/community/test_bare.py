"""A message without its properties, held against what paho writes."""

from hypothesis import given, strategies as st
from paho.mqtt.properties import VariableByteIntegers, writeUTF

from custom_components.carbon_meter.community.bare import bare


@given(
    topic=st.text(max_size=50).filter(lambda text: "\0" not in text),
    quality=st.sampled_from([0, 1, 2]),
    properties=st.binary(max_size=20_000),
    payload=st.binary(max_size=200),
)
def test_nothing_but_the_properties_is_gone(
    topic: str, quality: int, properties: bytes, payload: bytes
) -> None:
    head = bytes(writeUTF(topic)) + (b"\x12\x34" if quality else b"")
    packet = head + VariableByteIntegers.encode(len(properties)) + properties + payload
    assert bare(bytearray(packet), quality=quality) == head + b"\0" + payload


@given(packet=st.binary(max_size=40), quality=st.sampled_from([0, 1, 2]))
def test_what_is_no_message_raises_nothing(packet: bytes, quality: int) -> None:
    assert len(bare(bytearray(packet), quality=quality)) <= len(packet)
