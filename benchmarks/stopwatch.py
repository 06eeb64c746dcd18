"""What an action costs: processor time of this process, and time on the clock."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
import time

type Action = Callable[[], Awaitable[object]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one time costs, in seconds."""

    cpu: float
    """Of all threads of this process, in user and in kernel mode."""

    wall: float


async def cost_of(action: Action, times: int = 1) -> Cost:
    """Do something so many times, one after the other; return what once costs on average."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        await action()
    return Cost(cpu=(time.process_time() - cpu) / times, wall=(time.perf_counter() - wall) / times)


async def one_round(actions: Mapping[str, Action], number: int, times: int = 1) -> dict[str, Cost]:
    """Measure each action once, another one first in each round: order favours none."""
    names = list(actions)
    first = number % len(names)
    return {name: await cost_of(actions[name], times) for name in names[first:] + names[:first]}
