import pytest

from benchmarks.rows import Better, Figure, compare
from benchmarks.table import format_table


def made(better: Better, ours: list[float], peer: list[float]):
    return compare(
        benchmark="metering",
        what="something",
        unit="1/s",
        better=better,
        ours=ours,
        peer=peer,
        peer_name="the other",
    )


def test_above_one_ours_is_better_either_way() -> None:
    assert made(Better.LOWER, [3.0], [45.0]).ratio == 15
    assert made(Better.LOWER, [45.0], [3.0]).ratio == pytest.approx(1 / 15)
    assert made(Better.HIGHER, [60.0], [100.0]).ratio == 0.6
    assert made(Better.HIGHER, [100.0], [50.0]).ratio == 2


def test_figure_is_median_and_quartiles() -> None:
    assert Figure.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Figure(median=3, low=2, high=4)
    assert Figure.of([7.0]) == Figure(median=7, low=7, high=7)


def test_one_wild_sample_does_not_move_the_row() -> None:
    found = made(Better.LOWER, [1.0, 1.0, 1.0, 1.0, 90.0], [2.0] * 5)
    assert found.ratio == 2
    assert found.repeats == 5
    assert found.ours.high == 1


@pytest.mark.parametrize(("ours", "peer"), [([1.0], [1.0, 2.0]), ([], [])])
def test_both_sides_have_as_many_samples(ours: list[float], peer: list[float]) -> None:
    with pytest.raises(ValueError, match="samples of ours"):
        made(Better.LOWER, ours, peer)


def test_table_says_which_way_is_good_and_how_wide_the_figures_spread() -> None:
    rows = [
        made(Better.HIGHER, [1.0, 2.0, 3.0], [400.0, 400.0, 400.0]),
        made(Better.LOWER, [0.01234], [1234.56]),
    ]
    lines = format_table(rows).splitlines()
    assert "something (1/s, higher is better)" in lines[2]
    assert "2 [1.5..2.5]" in lines[2]
    assert lines[2].split()[-4:] == ["400", "0.01x", "the", "other"]
    assert "0.0123" in lines[3]
    assert "1235" in lines[3]
    assert sum(line.startswith("machine: ") for line in lines) == 1
