import asyncio
import time

from benchmarks.stopwatch import cost_of, one_round


async def test_waiting_costs_time_and_no_cpu() -> None:
    cost = await cost_of(lambda: asyncio.sleep(0.05))
    assert cost.wall > 0.04
    assert cost.cpu < cost.wall


async def test_working_costs_cpu() -> None:
    async def work() -> None:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass

    assert (await cost_of(work, 2)).cpu >= 0.02


async def test_every_action_has_its_turn_as_the_first() -> None:
    order: list[str] = []

    def action(name: str):
        async def act() -> None:
            order.append(name)

        return act

    actions = {name: action(name) for name in "abc"}
    for number in range(3):
        assert set(await one_round(actions, number)) == set("abc")
    assert "".join(order) == "abcbcacab"
    order.clear()
    await one_round(actions, 1, times=2)
    assert "".join(order) == "bbccaa"
