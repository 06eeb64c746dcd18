"""Which unit ids of a line are asked, and when the search of it ends."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.metering.candidate import Candidate, Identification
from custom_components.carbon_meter.metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterRejectedError,
    MeterSilentError,
)
from custom_components.carbon_meter.metering.modbus.scan import (
    COMMON_UNITS,
    EVERY_LIMIT,
    EVERY_UNIT,
    UnitSearch,
)
from custom_components.carbon_meter.metering.profile_library import load_profiles
from custom_components.carbon_meter.metering.readings import Reading

PROFILES = load_profiles()
PROFILE = PROFILES["eastron_sdm630"]
SILENT = MeterSilentError("nobody")
REFUSED = MeterRejectedError("no such unit", code=11)


def meter(serial: str) -> Identification:
    found = Candidate(
        profile=PROFILE,
        settings={"base": 0},
        certain=True,
        reading=Reading(time=0, values={}),
        serial=serial,
    )
    return Identification(candidates=(found,), seen=())


class Line:
    """Answers by unit id; the others say what `rest` says. Each answer takes its time."""

    def __init__(
        self,
        units: Mapping[int, Identification | Exception],
        rest: Identification | Exception = SILENT,
        seconds: float = 0.0,
    ) -> None:
        self.units = units
        self.rest = rest
        self.seconds = seconds
        self.asked: list[int] = []
        self.now = 0.0

    async def ask(self, unit: int) -> Identification:
        self.asked.append(unit)
        self.now += self.seconds
        said = self.units.get(unit, self.rest)
        if isinstance(said, Exception):
            raise said
        return said

    async def search(self, *, every_unit: bool = False) -> UnitSearch:
        search = UnitSearch(self.ask, every_unit=every_unit, pause=0, clock=lambda: self.now)
        await search.run()
        return search


async def test_usual_units_are_asked_first_and_only_they() -> None:
    line = Line({1: meter("a")}, seconds=1)
    search = await line.search()
    assert tuple(line.asked) == COMMON_UNITS
    assert [unit for unit, _ in search.found] == [1]
    assert search.complete


async def test_silent_line_is_left_alone() -> None:
    line = Line({})
    await line.search()
    assert line.asked == [1, 2, 3]


async def test_line_that_does_not_speak_modbus_is_left_alone_at_once() -> None:
    line = Line({}, rest=MeterGarbledError("HTTP/1.1"))
    await line.search(every_unit=True)
    assert line.asked == [1]


async def test_gateway_that_knows_its_units_is_asked_for_all() -> None:
    line = Line({unit: meter(str(unit)) for unit in (3, 17, 200, 246)}, rest=REFUSED)
    search = await line.search()
    assert sorted(line.asked) == list(EVERY_UNIT)
    assert {unit for unit, _ in search.found} == {3, 17, 200, 246}


async def test_gateway_that_waits_for_each_unit_is_asked_for_the_usual_ones() -> None:
    line = Line({}, rest=REFUSED, seconds=1)
    await line.search()
    assert tuple(line.asked) == COMMON_UNITS


async def test_every_unit_is_asked_when_it_is_wanted() -> None:
    line = Line({212: meter("a")}, seconds=1)
    search = await line.search(every_unit=True)
    assert sorted(line.asked) == list(EVERY_UNIT)
    assert [unit for unit, _ in search.found] == [212]


async def test_search_ends_when_the_time_is_up() -> None:
    line = Line({1: meter("a")}, seconds=10)
    search = await line.search(every_unit=True)
    assert not search.complete
    assert len(line.asked) == EVERY_LIMIT / 10 + 1


async def test_device_that_answers_to_any_unit_is_one() -> None:
    line = Line({}, rest=meter("a"))
    search = await line.search(every_unit=True)
    assert line.asked == [1, 2, 247]
    assert [unit for unit, _ in search.found] == [1]


async def test_unlikely_unit_may_be_a_meter_of_its_own() -> None:
    line = Line({1: meter(""), 2: meter(""), 247: meter("x")}, rest=REFUSED)
    search = await line.search()
    assert [unit for unit, _ in search.found] == [1, 2, 247]


async def test_unit_that_cannot_be_understood_is_passed_over() -> None:
    line = Line({1: MeterError("odd"), 2: meter("a")}, rest=REFUSED)
    search = await line.search()
    assert [unit for unit, _ in search.found] == [2]


async def test_meters_without_a_number_behind_a_gateway_stay_several() -> None:
    line = Line({unit: meter("") for unit in (1, 2, 3)}, rest=REFUSED)
    search = await line.search()
    assert [unit for unit, _ in search.found] == [1, 2, 3]


async def test_device_that_is_no_meter_may_pass_one_on() -> None:
    line = Line(
        {2: meter("a"), 240: meter("b")}, rest=Identification(candidates=(), seen=("a pump",))
    )
    search = await line.search(every_unit=True)
    assert set(line.asked) == {*COMMON_UNITS, 247}
    assert [unit for unit, found in search.found if found.candidates] == [2, 240]


async def test_guesses_that_change_with_the_values_are_of_one_device() -> None:
    def guesses(*names: str) -> Identification:
        (found,) = meter("").candidates
        candidates = tuple(replace(found, profile=PROFILES[name]) for name in names)
        return Identification(candidates=candidates, seen=())

    line = Line({1: guesses("eastron_sdm630")}, rest=guesses("eastron_sdm120", "eastron_sdm630"))
    search = await line.search()
    assert [unit for unit, _ in search.found] == [1]


async def test_port_that_closes_is_left() -> None:
    line = Line({}, rest=MeterRefusedError("refused"))
    await line.search()
    assert len(line.asked) == 3


@pytest.mark.parametrize("every_unit", [False, True])
async def test_progress_ends_at_the_end(every_unit: bool) -> None:
    line = Line({1: meter("a")}, rest=MeterRejectedError("later", code=6))
    told: list[float] = []
    search = UnitSearch(line.ask, every_unit=every_unit, pause=0, clock=lambda: 0.0)
    await search.run(told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


ANSWERS = st.sampled_from(
    [SILENT, REFUSED, MeterGarbledError("?"), meter("a"), meter("b"), meter("")]
)


@given(
    units=st.dictionaries(st.integers(1, 247), ANSWERS, max_size=40),
    rest=ANSWERS,
    every_unit=st.booleans(),
    seconds=st.sampled_from([0.0, 0.1, 1.0, 30.0]),
)
async def test_each_unit_is_asked_once_and_found_only_if_it_answered(
    units: dict[int, Identification | Exception],
    rest: Identification | Exception,
    every_unit: bool,
    seconds: float,
) -> None:
    line = Line(units, rest, seconds)
    search = await line.search(every_unit=every_unit)
    assert len(set(line.asked)) == len(line.asked)
    assert set(line.asked) <= set(EVERY_UNIT)
    for unit, said in search.found:
        assert units.get(unit, rest) is said
    assert line.now <= EVERY_LIMIT + 2 * seconds
