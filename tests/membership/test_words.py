"""What somebody agrees to is the text that is named, in the language of the house."""

import pytest

from custom_components.carbon_meter.community.contract.message import Level
from custom_components.carbon_meter.membership.words import WORDS, is_of_hub, present, words


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("hub", [False, True])
def test_each_choice_has_the_words_of_its_level(level: Level, own: bool, hub: bool) -> None:
    name, _, version = present(level, own_broker=own, is_hub=hub).partition("@")
    assert name == f"{'hub-' if hub else ''}{level}{'-own-broker' if own else ''}"
    assert version.isdigit()
    assert is_of_hub(present(level, own_broker=own, is_hub=hub)) is hub


def test_every_chinese_is_shown_the_chinese_words() -> None:
    for text in WORDS:
        for language in ("zh", "zh-CN", "zh-Hant"):
            assert words(text, language) == words(text, "zh-Hans") != words(text, "en")
