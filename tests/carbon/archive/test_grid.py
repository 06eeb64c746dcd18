"""The intensity of the grid."""

from pathlib import Path
import tempfile

from hypothesis import given, strategies as st
import numpy as np
import pytest

from custom_components.carbon_meter.carbon.archive.archive import Archive
from custom_components.carbon_meter.carbon.archive.rows import SLOTS, UNKNOWN_GRADE, GridHour
from tests.carbon.archived import HOUR, START, grid_hour

END = START + 24 * HOUR
numbers = st.floats(allow_infinity=False)


def twelve[T](entries: st.SearchStrategy[T]) -> st.SearchStrategy[list[T]]:
    return st.one_of(
        entries.map(lambda entry: [entry] * SLOTS),
        st.lists(entries, min_size=SLOTS, max_size=SLOTS),
    )


hours = st.builds(
    GridHour,
    hour=st.integers(0, 23).map(lambda hour: START + hour * HOUR),
    value=twelve(numbers),
    grade=twelve(st.sampled_from([0, 1, 2, 3, 4, UNKNOWN_GRADE])),
    source=twelve(st.sampled_from(["", "neso", "Energy-Charts", "典型小时"])),
)


@given(rows=st.lists(hours, max_size=10))
def test_what_is_put_comes_back(rows: list[GridHour]) -> None:
    """To the last bit, also after years; the rest is unknown."""
    value = np.full(24 * SLOTS, np.nan)
    grade = np.full(24 * SLOTS, UNKNOWN_GRADE, dtype=np.uint8)
    source = [""] * (24 * SLOTS)
    for row in rows:
        at = (row.hour - START) // HOUR * SLOTS
        value[at : at + SLOTS] = row.value
        grade[at : at + SLOTS] = row.grade
        source[at : at + SLOTS] = row.source
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder) / "site.db")
        for row in rows:
            archive.put_grid([row])
        archive.trim(START + 10 * 365 * 86400)
        series = archive.grid(START, END)
        archive.close()
    assert series.value.tobytes() == value.tobytes()
    assert series.grade.tobytes() == grade.tobytes()
    assert series.source.tolist() == source


@pytest.mark.parametrize(
    "row",
    [
        grid_hour(START, float("inf")),
        grid_hour(START, 1.0, 5),
        grid_hour(START, 1.0, 300),
        grid_hour(START + 1, 1.0),
        GridHour(hour=START, value=[1.0], grade=[0], source=[""]),
        GridHour(hour=START, value=[1.0] * SLOTS, grade=[0] * SLOTS, source=["neso"]),
    ],
)
def test_an_hour_that_cannot_be_is_refused(archive: Archive, row: GridHour) -> None:
    with pytest.raises(ValueError, match=r"grid at|start of an hour"):
        archive.put_grid([grid_hour(START, 100.0), row])
    assert np.isnan(archive.grid(START, START + HOUR).value).all()


def test_a_source_that_came_with_a_failed_call_is_not_taken_for_known(archive: Archive) -> None:
    with pytest.raises(ValueError, match="grid at"):
        archive.put_grid([grid_hour(START, 1.0, source="new"), grid_hour(START, 1.0, 9)])
    archive.put_grid(
        [grid_hour(START, 1.0, source="other"), grid_hour(START + HOUR, 2.0, 1, "new")]
    )
    series = archive.grid(START, START + 2 * HOUR)
    assert series.source.tolist() == ["other"] * SLOTS + ["new"] * SLOTS


def test_average_and_marginal_are_apart(archive: Archive) -> None:
    archive.put_grid([grid_hour(START, 100.0, source="neso")])
    archive.put_grid([grid_hour(START, 700.0, source="watttime")], "marginal")
    average, marginal = (
        archive.grid(START, START + HOUR, series) for series in ("average", "marginal")
    )
    assert set(average.value) == {100.0}
    assert set(marginal.value) == {700.0}
    assert set(archive.grid(START, START + HOUR).source) == {"neso"}
