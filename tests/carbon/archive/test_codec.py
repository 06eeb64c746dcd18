"""Twelve numbers as few bytes."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.archive.codec import (
    pack,
    pack_flags,
    pack_states,
    to_json,
    unpack,
    unpack_flags,
    unpack_states,
)


@given(st.lists(st.lists(st.floats(), min_size=12, max_size=12), max_size=5))
def test_numbers_come_back_to_the_last_bit(rows: list[list[float]]) -> None:
    values = np.array(rows, dtype=np.float64).reshape(-1, 12)
    assert unpack([pack(row) for row in values]).tobytes() == values.tobytes()


@given(st.sampled_from([1, 2, 4]), st.data())
def test_what_repeats_is_written_once(count: int, data: st.DataObject) -> None:
    heads = data.draw(
        st.lists(st.floats(allow_nan=False), min_size=count, max_size=count, unique_by=str)
    )
    values = np.repeat(np.array(heads), 12 // count)
    packed = pack(values)
    assert len(packed) == (0 if packed == b"" else 8 * count)
    assert unpack([packed]).tobytes() == values.tobytes()


def test_an_hour_without_energy_takes_nothing() -> None:
    assert pack(np.zeros(12)) == b""
    assert unpack([b""]).tolist() == [[0.0] * 12]
    assert np.signbit(unpack([pack(np.full(12, -0.0))])).all()


@pytest.mark.parametrize("size", [1, 7, 24, 40, 95, 97, 192])
def test_bytes_that_are_no_hour_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="not the numbers of an hour"):
        unpack([bytes(size)])


@given(st.lists(st.lists(st.booleans(), min_size=12, max_size=12), max_size=5))
def test_flags_come_back(rows: list[list[bool]]) -> None:
    values = np.array(rows, dtype=np.bool_).reshape(-1, 12)
    assert (unpack_flags([pack_flags(row) for row in values]) == values).all()


def test_only_what_json_can_tell_is_kept() -> None:
    assert unpack_states(pack_states({"b": {"x": np.float64(0.1), "n": np.int64(3)}})) == {
        "b": {"x": 0.1, "n": 3}
    }
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises(ValueError, match=r"JSON|kept"):
            to_json({"x": value})
    with pytest.raises(ValueError, match="damaged"):
        unpack_states(b"nothing of the kind")
