"""What the site was made of, and from when."""

from custom_components.carbon_meter.carbon.archive.archive import Archive
from tests.carbon.archived import HOUR, START


def test_plans_come_back_in_order_and_are_forgotten_from_an_hour_on(archive: Archive) -> None:
    assert archive.plans() == []
    for hour in (5, 0, 2, 9):
        archive.put_plan(START + hour * HOUR, f"plan {hour} 计划")
    archive.put_plan(START + 2 * HOUR, "another")
    first, second = (START, "plan 0 计划"), (START + 2 * HOUR, "another")
    third, last = (START + 5 * HOUR, "plan 5 计划"), (START + 9 * HOUR, "plan 9 计划")
    assert archive.plans() == [first, second, third, last]
    archive.forget_plans(START + 2 * HOUR, START + 5 * HOUR)
    assert archive.plans() == [first, third, last]
    archive.forget_plans(START + 5 * HOUR)
    assert archive.plans() == [first]
