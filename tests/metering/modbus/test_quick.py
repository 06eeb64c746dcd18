"""The quick way of decoding says what the careful one says, whatever the words are."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.metering.modbus.blocks import plan_blocks
from custom_components.carbon_meter.metering.modbus.layout import Layout, Wanted
from custom_components.carbon_meter.metering.modbus.profile import ModbusProfile
from custom_components.carbon_meter.metering.profile_library import load_profiles

PROFILES = load_profiles().of(ModbusProfile)
BASE = {True: 40070, False: 0}

_WORDS = st.one_of(
    st.integers(0, 0xFFFF),
    st.sampled_from([0, 1, 0x7FC0, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0x4366, 0x43E6]),
)


def laid_out(profile: ModbusProfile) -> tuple[Layout, list[int]]:
    wanted = [Wanted(register=register) for register in profile.fixed_registers]
    base = BASE[profile.is_chained]
    spans = [span for item in wanted for span in item.spans(base)]
    blocks = plan_blocks(spans, profile.max_registers)
    return Layout.of(wanted, blocks, base), [block.words for block in blocks]


LAID_OUT = {key: laid_out(profile) for key, profile in PROFILES.items()}


@pytest.mark.parametrize("profile_id", PROFILES)
@settings(max_examples=25)
@given(data=st.data())
def test_both_ways_agree(profile_id: str, data: st.DataObject) -> None:
    layout, counts = LAID_OUT[profile_id]
    contents = [data.draw(st.lists(_WORDS, min_size=count, max_size=count)) for count in counts]
    said = layout.decode(contents)
    values, faults = layout.read(contents)
    assert values == {
        each.wanted.register.quantity: each.value for each in said if each.value is not None
    }
    expected = [each.fault for each in said if each.fault is not None]
    assert sorted(map(str, faults)) == sorted(map(str, expected))


def test_most_registers_go_the_quick_way() -> None:
    special = sum(len(layout.special) for layout, _ in LAID_OUT.values())
    assert special < 0.25 * sum(len(layout.fields) for layout, _ in LAID_OUT.values())
