"""The words that a member agrees to. What was agreed to is told by their id and version.

Whoever changes the words gives them another version: `id@version` stands in the consent at the hub,
and means these words for ever. The versions before stay here.
"""

# ruff: noqa: RUF001  # Chinese has its own commas.

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..community.contract.message import Level
from . import hub_words
from .languages import CHINESE, ENGLISH

_PRESENT: Final[Mapping[tuple[Level, bool, bool], str]] = MappingProxyType(
    {
        (Level.PSEUDONYM, False, False): "pseudonym@2",
        (Level.CLEAR, False, False): "clear@2",
        (Level.PSEUDONYM, True, False): "pseudonym-own-broker@1",
        (Level.CLEAR, True, False): "clear-own-broker@1",
        (Level.PSEUDONYM, False, True): "hub-pseudonym@1",
        (Level.CLEAR, False, True): "hub-clear@1",
        (Level.PSEUDONYM, True, True): "hub-pseudonym-own-broker@1",
        (Level.CLEAR, True, True): "hub-clear-own-broker@1",
    }
)
"""By the level, whether messages go over the broker of a Home Assistant, whether a hub joins."""

_HUB: Final = "hub-"
"""With it begin the ids of the words of a hub."""

_WHAT: Final = {
    ENGLISH: (
        "My home tells the community the sums chosen here, for each period that has ended: how "
        "much energy flowed, the carbon it caused, and how well both are known. It tells nothing "
        "of single devices, rooms or persons, and nothing of the time before I joined. Whoever "
        "runs the community's hub can see what my home tells."
    ),
    CHINESE: (
        "我的家把此处选择的合计值告诉社区：每个时段结束后，告知该时段流过多少能量、"
        "造成多少碳排放，以及这两者的可靠程度。不告知任何单个设备、房间或个人的情况，"
        "也不告知我加入之前的任何数据。运营汇总中心的人可以看到我家告知的内容。"
    ),
}
_LEAVING_1: Final = {
    ENGLISH: (
        "I can show less, or leave, at any time and without a reason. When I leave, my home stops "
        "telling at once, the hub deletes all that it has told, and makes its sums again without "
        "it. What was published before stays with whoever has it."
    ),
    CHINESE: (
        "我可以随时减少告知的内容，也可以随时退出，无需说明理由。退出后，我家立即停止告知，"
        "汇总中心删除我家告知过的一切，并在不含我家的情况下重新计算合计。"
        "此前已公布的内容仍留在已获得它的人那里。"
    ),
}
_LEAVING: Final = {
    ENGLISH: (
        "I can show less, or leave, at any time and without a reason. When I leave, my home stops "
        "telling at once, the hub deletes all that it has told, and makes its sums again without "
        "it. What was published before stays with whoever has it. The community goes on showing "
        "its old sums, with my home in them, until enough homes have changed that a new sum "
        "does not show what mine alone was; they are marked as out of date."
    ),
    CHINESE: (
        "我可以随时减少告知的内容，也可以随时退出，无需说明理由。退出后，我家立即停止告知，"
        "汇总中心删除我家告知过的一切，并在不含我家的情况下重新计算合计。"
        "此前已公布的内容仍留在已获得它的人那里。"
        "社区会继续显示包含我家的旧合计，并标明其已过时；直到有足够多的家庭发生变动、"
        "新的合计不会暴露我家单独的数值为止。"
    ),
}
_PSEUDONYM: Final = {
    ENGLISH: (
        "The hub knows my home by a random name that changes every month. The community publishes "
        "sums of many homes, never figures of mine alone."
    ),
    CHINESE: (
        "汇总中心只知道我家的一个随机名称，该名称每月更换。"
        "社区只公布许多家庭的合计，从不单独公布我家的数值。"
    ),
}
_STAYING: Final = {
    ENGLISH: (
        "The hub knows my home by a random name. It stays the same as long as my home is a member: "
        "what I tell can be followed over the months. The community publishes sums of many homes, "
        "never figures of mine alone."
    ),
    CHINESE: (
        "汇总中心只知道我家的一个随机名称。在我家作为成员期间该名称保持不变："
        "我告知的内容可以逐月连贯地看到。社区只公布许多家庭的合计，从不单独公布我家的数值。"
    ),
}
_OWN_BROKER: Final = {
    ENGLISH: (
        "My home's messages go over the MQTT broker of a Home Assistant. Whoever may use that "
        "broker can read them, too."
    ),
    CHINESE: (
        "我家的消息经由某个 Home Assistant 的 MQTT 代理传送。凡能使用该代理的人，也能读到这些消息。"
    ),
}
_CLEAR_1: Final = {
    ENGLISH: (
        "The hub knows my home by a name that stays the same. It is a pilot: the community may "
        "show figures of my home alone to its members."
    ),
    CHINESE: (
        "汇总中心以一个固定不变的名称识别我家。这是试点项目：社区可以把我家单独的数值展示给其成员。"
    ),
}
_CLEAR: Final = {
    ENGLISH: (
        "The hub knows my home by a name that stays the same. It is a pilot: the community may "
        "show figures of my home alone to its members, and to everybody who may use the Home "
        "Assistant in which its hub runs."
    ),
    CHINESE: (
        "汇总中心以一个固定不变的名称识别我家。这是试点项目：社区可以把我家单独的数值展示给其成员，"
        "以及所有能使用其汇总中心所在 Home Assistant 的人。"
    ),
}


def _joined(*parts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {language: "\n\n".join(part[language] for part in parts) for language in (ENGLISH, CHINESE)}
    )


WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "pseudonym@1": _joined(_WHAT, _PSEUDONYM, _LEAVING_1),
        "pseudonym@2": _joined(_WHAT, _PSEUDONYM, _LEAVING),
        "clear@1": _joined(_WHAT, _CLEAR_1, _LEAVING_1),
        "clear@2": _joined(_WHAT, _CLEAR, _LEAVING),
        "pseudonym-own-broker@1": _joined(_WHAT, _OWN_BROKER, _STAYING, _LEAVING),
        "clear-own-broker@1": _joined(_WHAT, _OWN_BROKER, _CLEAR, _LEAVING),
        "hub-pseudonym@1": _joined(hub_words.WHAT, hub_words.PSEUDONYM, hub_words.LEAVING),
        "hub-clear@1": _joined(hub_words.WHAT, hub_words.CLEAR, hub_words.LEAVING),
        "hub-pseudonym-own-broker@1": _joined(
            hub_words.WHAT, hub_words.OWN_BROKER, hub_words.STAYING, hub_words.LEAVING
        ),
        "hub-clear-own-broker@1": _joined(
            hub_words.WHAT, hub_words.OWN_BROKER, hub_words.CLEAR, hub_words.LEAVING
        ),
    }
)
"""By `id@version` and language."""


def present(level: Level, *, own_broker: bool, is_hub: bool = False) -> str:
    """Return the id of the words that are shown now.

    On the broker of a Home Assistant there are no certificates, and so no names that change.
    """
    return _PRESENT[level, own_broker, is_hub]


def is_of_hub(text: str) -> bool:
    """Return whether words are those of whoever runs a hub."""
    return text.startswith(_HUB)


def words(text: str, language: str) -> str:
    """Return words in a language, in English where they are not there in it."""
    translations = WORDS[text]
    wanted = CHINESE if language.startswith("zh") else language
    return translations.get(wanted, translations[ENGLISH])
