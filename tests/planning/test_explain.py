# ruff: noqa: RUF001  # Chinese has punctuation of its own
"""Plans in a sentence, in two languages."""

from dataclasses import replace
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from custom_components.carbon_meter.planning.alternatives import Way
from custom_components.carbon_meter.planning.battery import BatteryLoad
from custom_components.carbon_meter.planning.battery_plan import plan_battery
from custom_components.carbon_meter.planning.block import Profile, plan_block
from custom_components.carbon_meter.planning.explain import Speaker, explain, explain_choice
from custom_components.carbon_meter.planning.objective import Objective
from custom_components.carbon_meter.planning.plan import (
    Margin,
    Piece,
    Plan,
    Reason,
    ReasonKind,
    Relaxed,
    Wish,
)
from custom_components.carbon_meter.planning.sentences import CHINESE, ENGLISH, texts
from custom_components.carbon_meter.planning.simulate import Preference, simulate
from custom_components.carbon_meter.planning.window import Window
from tests.planning.problems import HOUR, START, hourly
from tests.planning.test_simulate import dishwasher, hall, office, room, two_days

ENGLISH_SPEAKER = Speaker(zone=ZoneInfo("Europe/Berlin"), currency="EUR")
CHINESE_SPEAKER = replace(ENGLISH_SPEAKER, language="zh-Hans")


def moved() -> Plan:
    """Return a plan that moves an hour of 2 kW by two hours, with a gap."""
    plan = plan_block(
        hourly([400, 300, 194, 200], price=[0.3, 0.3, 0.2, 0.3]),
        Objective.carbon(),
        Profile.flat(2000.0, HOUR),
        Window(start=START, end=START + 4 * HOUR),
    )
    return replace(plan, lower_bound=plan.value - 38.0)


def test_a_moved_run_in_a_sentence() -> None:
    """The words of the plan's numbers; what is possible is said because it is not proved."""
    assert (
        explain(moved(), ENGLISH_SPEAKER)
        == "Moved 2 h to 03:00: saves 412 g and 0.20 EUR (best possible 450 g)"
    )
    assert (
        explain(moved(), CHINESE_SPEAKER)
        == "推迟 2 小时，改到 03:00 运行：节省 412 克，0.20 EUR（最多可节省 450 克）"
    )


def test_the_best_possible_is_not_said_of_the_best() -> None:
    """A plan that is proved says no more than what it saves."""
    plan = replace(moved(), lower_bound=moved().value)

    assert explain(plan, Speaker()).endswith("saves 412 g and 0.20")


@pytest.mark.parametrize(
    ("kind", "english", "chinese"),
    [
        (
            ReasonKind.NO_BENEFIT,
            "Runs at once: waiting would gain nothing",
            "立即运行：等待没有好处",
        ),
        (
            ReasonKind.MUST_RUN,
            "Runs now: all the time that is left is needed",
            "立即运行：剩余时间已全部需要",
        ),
        (
            ReasonKind.GOES_ON,
            "Runs now: what was started is not interrupted",
            "正在运行：已启动的运行不会中断",
        ),
        (
            ReasonKind.NO_ROOM,
            "Does not run: the fuse leaves it no room",
            "不运行：保险丝没有余量",
        ),
        (ReasonKind.NOTHING_TO_DO, "Nothing has to run", "没有需要运行的任务"),
        (
            ReasonKind.NOT_KNOWN,
            "Runs at once: nothing is known about the hours to come",
            "立即运行：未来几小时的情况未知",
        ),
    ],
)
def test_every_reason_has_its_sentence(kind: ReasonKind, english: str, chinese: str) -> None:
    """In both languages."""
    plan = replace(moved(), reason=Reason(kind=kind))

    assert explain(plan, ENGLISH_SPEAKER) == english
    assert explain(plan, CHINESE_SPEAKER) == chinese


def test_a_kept_plan_says_so() -> None:
    """And what it saves."""
    plan = replace(moved(), reason=Reason(kind=ReasonKind.KEPT))

    assert explain(plan, ENGLISH_SPEAKER).startswith("Keeps its plan for 03:00")


@pytest.mark.parametrize("speaker", [ENGLISH_SPEAKER, CHINESE_SPEAKER])
@pytest.mark.parametrize(
    ("wish", "unit"),
    [
        (Wish.SAFETY, "W"),
        (Wish.DEADLINE, "s"),
        (Wish.DEADLINE, "Wh"),
        (Wish.COMFORT, "K"),
        (Wish.COMFORT, "s"),
        (Wish.COMFORT, "starts"),
        (Wish.COMFORT, "Wh"),
        (Wish.QUIET, "s"),
        (Wish.FORECAST, "Wh"),
    ],
)
def test_every_wish_has_its_sentence(speaker: Speaker, wish: Wish, unit: str) -> None:
    """With its amount, and nothing left to fill in."""
    relaxed = Relaxed(wish=wish, amount=5400.0 if unit != "K" else 1.5, unit=unit)

    said = explain(replace(moved(), relaxed=(relaxed,)), speaker)

    sentence = said.split(texts(speaker.language)["stop"])[1]
    assert any(character.isdigit() for character in sentence)
    assert "{" not in said


def test_a_battery_that_works_and_one_that_rests() -> None:
    """It charges and gives back, or does nothing."""
    load = BatteryLoad(capacity=5000.0, content=0.0, charge=5000.0, discharge=5000.0)
    signal = hourly([100, 400])

    works = plan_battery(load, signal, Objective.carbon()).plan
    rests = plan_battery(load, signal, Objective.carbon(), margin=Margin(absolute=1e6)).plan

    assert explain(works, Speaker()).startswith("Charges 5.00 kWh and gives back 4.51 kWh: saves")
    assert explain(rests, Speaker()) == "Does nothing: it would gain less than it loses"


@pytest.mark.parametrize(
    ("number", "kind", "english", "chinese"),
    [
        ("lost", ReasonKind.NO_BENEFIT, "gain less than it loses", "得不偿失"),
        ("lost", ReasonKind.NOT_KNOWN, "Does nothing: nothing is known", "保持不动：未来"),
        ("end_temperature", ReasonKind.NO_BENEFIT, "Keeps the temperature", "照常保持温度：提前"),
        ("end_temperature", ReasonKind.NOT_KNOWN, "Keeps the temperature", "照常保持温度：未来"),
        ("dimmed", ReasonKind.NO_BENEFIT, "Leaves the light as it is: dimming", "灯光保持不变：调"),
        ("dimmed", ReasonKind.NOT_KNOWN, "Leaves the light as it is: nothing", "灯光保持不变：未"),
        ("dimmed", ReasonKind.NOTHING_TO_DO, "No light is on", "没有开灯"),
    ],
)
def test_what_is_left_as_it_is_does_not_run_at_once(
    number: str, kind: ReasonKind, english: str, chinese: str
) -> None:
    """A thermostat, a battery and light do something else when nothing is gained or known."""
    plan = replace(moved(), reason=Reason(kind=kind, numbers={number: 0.0}))

    assert english in explain(plan, ENGLISH_SPEAKER)
    assert chinese in explain(plan, CHINESE_SPEAKER)
    assert "at once" not in explain(plan, ENGLISH_SPEAKER)


def test_a_battery_that_only_charges_or_only_gives() -> None:
    """Nothing is said of what it does not do."""
    reason = Reason(kind=ReasonKind.MOVED, numbers={"lost": 0.0})
    charges = replace(moved(), reason=reason, pieces=(Piece(START, START + HOUR, 1500.0),))
    gives = replace(moved(), reason=reason, pieces=(Piece(START, START + HOUR, -1500.0),))

    assert explain(charges, ENGLISH_SPEAKER).startswith("Charges 1.50 kWh: ")
    assert explain(gives, ENGLISH_SPEAKER).startswith("Gives back 1.50 kWh: ")
    assert explain(charges, CHINESE_SPEAKER).startswith("充电 1.50 千瓦时：")
    assert explain(gives, CHINESE_SPEAKER).startswith("放电 1.50 千瓦时：")


def test_a_room_that_is_heated_earlier_or_longer() -> None:
    """One run that is not moved to a later time."""
    usual = (Piece(START + 2 * HOUR, START + 3 * HOUR, 1000.0),)
    reason = Reason(kind=ReasonKind.MOVED, numbers={"end_temperature": 20.0})
    earlier = replace(
        moved(),
        reason=reason,
        pieces=(Piece(START, START + HOUR, 1000.0),),
        baseline_pieces=usual,
    )
    longer = replace(earlier, pieces=(Piece(START + 2 * HOUR, START + 4 * HOUR, 500.0),))

    assert explain(earlier, ENGLISH_SPEAKER).startswith("Moved 2 h ahead to 01:00: ")
    assert explain(longer, ENGLISH_SPEAKER).startswith("Runs at 03:00: ")
    assert explain(earlier, CHINESE_SPEAKER).startswith("提前 2 小时，改到 01:00 运行：")
    assert explain(longer, CHINESE_SPEAKER).startswith("03:00 运行：")


def test_dimmed_light_in_a_sentence() -> None:
    """How far, how long, and from when."""
    numbers = {"light": 0.8, "dimmed": 2.5 * HOUR, "first": START + 18 * HOUR}
    plan = replace(moved(), reason=Reason(kind=ReasonKind.MOVED, numbers=numbers))

    assert explain(plan, ENGLISH_SPEAKER).startswith(
        "Dims the light to 80 % for 2 h 30 min, first at 19:00: saves"
    )
    assert explain(plan, CHINESE_SPEAKER).startswith(
        "把灯光调到 80 %，共 2 小时 30 分钟，首次 19:00 开始：节省"
    )


def test_another_day_is_named() -> None:
    """Two days later it is not just a time."""
    plan = plan_block(
        hourly([400] * 60 + [100] * 4),
        Objective.carbon(),
        Profile.flat(2000.0, 1.5 * HOUR),
        Window(start=START, end=START + 64 * HOUR),
    )

    said = explain(plan, ENGLISH_SPEAKER)

    assert said.startswith("Moved 60 h to Fri 13:00: ")
    assert explain(plan, CHINESE_SPEAKER).startswith("推迟 60 小时，改到 周五 13:00 运行")


def test_a_choice_in_a_sentence() -> None:
    """What to do, what it saves against doing nothing, and what comfort it asks for."""
    preference = Preference(objective=Objective.carbon(), discomfort=100.0)
    choice = simulate([dishwasher(), room(), office(), hall()], two_days(), preference)

    english = explain_choice(choice, ENGLISH_SPEAKER)
    chinese = explain_choice(choice, CHINESE_SPEAKER)

    assert choice.best.alternative.way is Way.COMBINED
    assert english.startswith(f"Best of {len(choice.ranked)}: run when it is cleanest")
    assert "against doing nothing" in english
    assert "K h less comfort" in english
    assert chinese.startswith(f"{len(choice.ranked)} 个方案中最好的")


def test_doing_nothing_in_a_sentence() -> None:
    """Where nothing is worth it."""
    preference = Preference(objective=Objective.carbon(), margin=Margin(relative=0.99))
    choice = simulate([dishwasher()], two_days(), preference)

    said = explain_choice(choice, ENGLISH_SPEAKER)

    assert said.startswith("Leave everything as it is")


def test_languages_have_the_same_sentences() -> None:
    """Each template with the same numbers; an unknown language is answered in English."""

    def fields(template: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(template) if name}

    assert ENGLISH.keys() == CHINESE.keys()
    for key, template in ENGLISH.items():
        assert fields(template) == fields(CHINESE[key]), key
    assert texts("fr") is ENGLISH
    assert texts("zh-Hant") is CHINESE
    for kind in ReasonKind:
        assert kind.value in ENGLISH
    for way in Way:
        assert way is Way.COMBINED or way.value in ENGLISH


def test_masses_and_durations_are_short() -> None:
    """No digits that nobody needs."""
    speaker = Speaker()

    assert speaker.mass(412.4) == "412 g"
    assert speaker.mass(1249.0) == "1.25 kg"
    assert speaker.duration(45 * 60.0) == "45 min"
    assert speaker.duration(2.25 * HOUR) == "2 h 15 min"
