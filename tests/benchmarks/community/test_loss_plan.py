"""The plan of the loss test: always the same truth, and in it all that can go wrong."""

from collections import Counter

from benchmarks.community.loss.plan import DAY, Plan
from custom_components.carbon_meter.community.contract.reading import read
from custom_components.carbon_meter.community.contract.writing import write

PLAN = Plan(seed=5, homes=200, days=6, begin=20_000 * DAY)


def test_it_is_always_the_same() -> None:
    again = Plan(seed=5, homes=200, days=6, begin=20_000 * DAY)
    for number in range(10):
        assert again.sayings(number) == PLAN.sayings(number)
        start = next(PLAN.starts(number))
        assert again.footprint(number, start, 0) == PLAN.footprint(number, start, 0)
    other = Plan(seed=6, homes=200, days=6, begin=20_000 * DAY)
    assert any(other.sayings(number) != PLAN.sayings(number) for number in range(10))


def test_it_has_gaps_late_ones_revisions_and_silence() -> None:
    kinds: Counter[str] = Counter()
    for number in range(PLAN.homes):
        said = [saying for day in PLAN.sayings(number) for saying in day]
        periods = 6 * DAY // PLAN.duration(number)
        kinds["daily"] += PLAN.duration(number) == DAY
        kinds["gaps"] += periods - len({saying.start for saying in said})
        kinds["revised"] += sum(saying.revision > 0 for saying in said)
        kinds["late"] += sum(
            saying.revision == 0 and saying.on > (saying.start - PLAN.begin) // DAY
            for saying in said
        )
        kinds["away"] += bool(PLAN.away(number))
        kinds["silent"] += PLAN.silent_from(number) is not None
    assert min(kinds.values()) > 0, kinds
    assert kinds["silent"] < PLAN.homes / 10


def test_revisions_are_all_said_and_each_has_a_content_of_its_own() -> None:
    for number in range(30):
        said: dict[int, list[int]] = {}
        for day in PLAN.sayings(number):
            for saying in day:
                said.setdefault(saying.start, []).append(saying.revision)
        for start, revisions in said.items():
            assert sorted(revisions) == list(range(PLAN.last_revision(number, start) + 1))
            digests = {PLAN.footprint(number, start, revision).digest for revision in revisions}
            assert len(digests) == len(revisions)


def test_everything_said_is_what_the_contract_takes() -> None:
    for number in range(20):
        for day in PLAN.sayings(number):
            for saying in day:
                footprint = PLAN.footprint(number, saying.start, saying.revision)
                assert read(*write(footprint), PLAN.end).digest == footprint.digest
