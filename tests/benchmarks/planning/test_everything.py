"""The small problems of the benchmark: some hundred of its ten thousand."""

from benchmarks.planning.everything import small_problems


def test_plans_are_as_good_as_everything_tried_and_better_than_simple_choices() -> None:
    answers = list(small_problems(600))

    for planned, tried, simple in answers:
        assert abs(planned - tried) <= 1e-9 * max(tried, 1.0)
        assert simple >= tried * (1 - 1e-9)
    assert sum(simple > tried * 1.001 for _, tried, simple in answers) > 100
