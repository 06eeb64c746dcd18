"""Which plan held in which hour: what is weighed again is weighed by the plan of its time."""

from bisect import bisect_right
from collections.abc import Iterator

from ..archive.archive import Archive
from ..intervals import HOUR, floor
from .plan import Arrangement


class KeptPlans:
    """The plans in the archive; the first holds for all time before it."""

    def __init__(self, archive: Archive) -> None:
        """Take the archive."""
        self._archive = archive
        self._read: dict[str, Arrangement] = {}
        self._hours: list[int] = []
        self._plans: list[Arrangement] = []

    def load(self) -> None:
        """Read what the archive holds now."""
        rows = self._archive.plans()
        self._read = {text: self._read.get(text) or Arrangement.from_text(text) for _, text in rows}
        self._hours = [hour for hour, _ in rows]
        self._plans = [self._read[text] for _, text in rows]

    def begin(self, present: Arrangement, now: float) -> int | None:
        """Let a plan hold from the present hour on, unless it does so already.

        What it has no longer is weighed until the hour ends. Returns the hour if the plan is
        another one than before, None otherwise.
        """
        self.load()
        if self._plans and self._plans[-1].text == present.text:
            return None
        if not self._plans:
            self._put({0: present})
            return None
        hour = floor(now, HOUR)
        changing = present.with_those_of(self.at(hour))
        self._archive.forget_plans(hour)
        later = {} if changing is present else {hour + HOUR: present}
        self._put({hour: changing, **later})
        return hour

    def change_at(self, hour: int, plan: Arrangement) -> None:
        """Let a plan hold from an hour on that has not come yet."""
        self._archive.forget_plans(hour)
        self._put({hour: plan})

    def hold(self, start: int, end: int, plan: Arrangement) -> None:
        """Let a plan hold in [start, end), what held from the end on go on holding."""
        after = self.at(end)
        self._archive.forget_plans(start, end)
        rows = {start: plan}
        if end not in self._hours:
            rows[end] = after
        self._put(rows)

    def _put(self, rows: dict[int, Arrangement]) -> None:
        for hour, plan in rows.items():
            self._archive.put_plan(hour, plan.text)
        self.load()

    def at(self, hour: int) -> Arrangement:
        """Return the plan that held in an hour."""
        return self._plans[max(bisect_right(self._hours, hour) - 1, 0)]

    def stretches(self, start: int, end: int) -> Iterator[tuple[int, int, Arrangement]]:
        """Yield the parts of [start, end) in which one plan held."""
        while start < end:
            place = bisect_right(self._hours, start)
            stop = min(end, self._hours[place]) if place < len(self._hours) else end
            yield start, stop, self.at(start)
            start = stop

    @property
    def first_battery(self) -> int | None:
        """Return from which hour on there was a battery, None if there never was one."""
        found = (hour for hour, plan in zip(self._hours, self._plans, strict=True) if plan.cells)
        hour = next(found, None)
        return 0 if hour is not None and hour == self._hours[0] else hour
