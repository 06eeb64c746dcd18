"""Sums of energy and carbon, by grade."""

import json

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.grade import BEST_FIRST, Grade
from custom_components.carbon_meter.carbon.tally import Tally

amounts = st.floats(0, 1e9)
tallies = st.builds(
    Tally,
    import_energy=amounts,
    export_energy=amounts,
    carbon=amounts,
    estimated_energy=amounts,
    measured_time=amounts,
    estimated_time=amounts,
    by_grade=st.dictionaries(st.sampled_from(Grade), amounts),
)


@given(tallies)
def test_a_tally_comes_back_from_a_file(tally) -> None:
    assert Tally.from_list(json.loads(json.dumps(tally.as_list()))) == tally


def test_the_keys_in_a_file_are_plain_texts() -> None:
    tally = Tally(by_grade={Grade.YEARLY: 3.0})

    assert [type(key) for key in tally.as_list()[6]] == [str]


@given(tallies, tallies)
def test_adding_adds_everything(first, second) -> None:
    total = Tally()
    total.add(first)
    total.add(second)

    for name in ("import_energy", "export_energy", "carbon", "estimated_energy"):
        assert getattr(total, name) == getattr(first, name) + getattr(second, name)
    assert total.measured_time == first.measured_time + second.measured_time
    assert total.estimated_time == first.estimated_time + second.estimated_time
    for grade in Grade:
        assert total.by_grade.get(grade, 0) == first.by_grade.get(grade, 0) + (
            second.by_grade.get(grade, 0)
        )


def test_adding_leaves_the_other_alone() -> None:
    other = Tally(import_energy=1.0, by_grade={Grade.MEASURED: 1.0})
    total = Tally()
    total.add(other)
    total.weigh(5.0, 2.0, Grade.MEASURED)

    assert other == Tally(import_energy=1.0, by_grade={Grade.MEASURED: 1.0})
    assert (total.carbon, total.by_grade) == (2.0, {Grade.MEASURED: 6.0})


@pytest.mark.parametrize(
    ("grades", "worst"),
    [
        ([], None),
        ([Grade.MEASURED], Grade.MEASURED),
        ([Grade.YEARLY, Grade.MEASURED], Grade.YEARLY),
        ([Grade.MEASURED, Grade.ESTIMATED, Grade.FORECAST], Grade.FORECAST),
        ([Grade.TYPICAL, Grade.FORECAST], Grade.TYPICAL),
    ],
)
def test_the_worst_grade_is_the_grade_of_the_whole(grades, worst) -> None:
    tally = Tally()
    for grade in grades:
        tally.weigh(10.0, 1.0, grade)

    assert tally.grade is worst


def test_grades_are_told_from_the_best_to_the_worst() -> None:
    assert [grade.value for grade in BEST_FIRST] == [
        *("measured", "estimated", "forecast", "typical_hour", "yearly_factor"),
    ]
