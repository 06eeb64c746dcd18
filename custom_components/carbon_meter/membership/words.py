"""The words that a household agrees to. What was agreed to is told by their id and version.

Whoever changes the words gives them another version: `id@version` stands in the consent at the hub,
and means these words for ever. The versions before stay here.
"""

# ruff: noqa: RUF001  # Chinese has its own commas.

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ..community.contract.message import Level

_ENGLISH: Final = "en"
_CHINESE: Final = "zh-Hans"

PRESENT: Final[Mapping[Level, str]] = MappingProxyType(
    {Level.PSEUDONYM: "pseudonym@1", Level.CLEAR: "clear@1"}
)
"""The words that are shown now, by the level that they agree to."""

_WHAT: Final = {
    _ENGLISH: (
        "My home tells the community the sums chosen here, for each period that has ended: how "
        "much energy flowed, the carbon it caused, and how well both are known. It tells nothing "
        "of single devices, rooms or persons, and nothing of the time before I joined. Whoever "
        "runs the community's hub can see what my home tells."
    ),
    _CHINESE: (
        "我的家把此处选择的合计值告诉社区：每个时段结束后，告知该时段流过多少能量、"
        "造成多少碳排放，以及这两者的可靠程度。不告知任何单个设备、房间或个人的情况，"
        "也不告知我加入之前的任何数据。运营汇总中心的人可以看到我家告知的内容。"
    ),
}
_LEAVING: Final = {
    _ENGLISH: (
        "I can show less, or leave, at any time and without a reason. When I leave, my home stops "
        "telling at once, the hub deletes all that it has told, and makes its sums again without "
        "it. What was published before stays with whoever has it."
    ),
    _CHINESE: (
        "我可以随时减少告知的内容，也可以随时退出，无需说明理由。退出后，我家立即停止告知，"
        "汇总中心删除我家告知过的一切，并在不含我家的情况下重新计算合计。"
        "此前已公布的内容仍留在已获得它的人那里。"
    ),
}
_PSEUDONYM: Final = {
    _ENGLISH: (
        "The hub knows my home by a random name that changes every month. The community publishes "
        "sums of many homes, never figures of mine alone."
    ),
    _CHINESE: (
        "汇总中心只知道我家的一个随机名称，该名称每月更换。"
        "社区只公布许多家庭的合计，从不单独公布我家的数值。"
    ),
}
_CLEAR: Final = {
    _ENGLISH: (
        "The hub knows my home by a name that stays the same. It is a pilot: the community may "
        "show figures of my home alone to its members."
    ),
    _CHINESE: (
        "汇总中心以一个固定不变的名称识别我家。这是试点项目：社区可以把我家单独的数值展示给其成员。"
    ),
}


def _joined(*parts: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(
        {
            language: "\n\n".join(part[language] for part in parts)
            for language in (_ENGLISH, _CHINESE)
        }
    )


WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "pseudonym@1": _joined(_WHAT, _PSEUDONYM, _LEAVING),
        "clear@1": _joined(_WHAT, _CLEAR, _LEAVING),
    }
)
"""By `id@version` and language."""


def words(text: str, language: str) -> str:
    """Return words in a language, in English where they are not there in it."""
    translations = WORDS[text]
    wanted = _CHINESE if language.startswith("zh") else language
    return translations.get(wanted, translations[_ENGLISH])
