"""The words that whoever runs a hub agrees to when it joins a larger community; see `words.py`."""

# ruff: noqa: RUF001  # Chinese has its own commas.

from typing import Final

from .languages import CHINESE, ENGLISH

WHAT: Final = {
    ENGLISH: (
        "This hub tells the larger community the sums chosen here, as far as it has published "
        "them, for each period that has ended: how much energy flowed, the carbon it caused, and "
        "how well both are known. It tells nothing of single homes, nothing that it suppresses, "
        "and nothing of the time before it joined. Whoever runs the larger community's hub can "
        "see what this hub tells."
    ),
    CHINESE: (
        "本汇总中心把此处选择的、已由本中心公布的合计值告诉上级社区：每个时段结束后，"
        "告知该时段流过多少能量、造成多少碳排放，以及这两者的可靠程度。不告知任何单个家庭的情况，"
        "不告知已被隐去的数值，也不告知加入之前的任何数据。"
        "运营上级汇总中心的人可以看到本中心告知的内容。"
    ),
}
LEAVING: Final = {
    ENGLISH: (
        "This hub can show less, or leave, at any time and without a reason. When it leaves, it "
        "stops telling at once, the larger hub deletes all that it has told, and makes its sums "
        "again without it. What was published before stays with whoever has it. The larger "
        "community goes on showing its old sums, with this hub in them, until enough members have "
        "changed that a new sum does not show what this one alone was; they are marked as out of "
        "date."
    ),
    CHINESE: (
        "本中心可以随时减少告知的内容，也可以随时退出，无需说明理由。退出后，本中心立即停止告知，"
        "上级汇总中心删除本中心告知过的一切，并在不含本中心的情况下重新计算合计。"
        "此前已公布的内容仍留在已获得它的人那里。"
        "上级社区会继续显示包含本中心的旧合计，并标明其已过时；直到有足够多的成员发生变动、"
        "新的合计不会暴露本中心单独的数值为止。"
    ),
}
PSEUDONYM: Final = {
    ENGLISH: (
        "The larger hub knows this hub by a random name that changes every month. The larger "
        "community publishes sums of many members, never figures of this one alone."
    ),
    CHINESE: (
        "上级汇总中心只知道本中心的一个随机名称，该名称每月更换。"
        "上级社区只公布许多成员的合计，从不单独公布本中心的数值。"
    ),
}
STAYING: Final = {
    ENGLISH: (
        "The larger hub knows this hub by a random name. It stays the same as long as this hub is "
        "a member: what it tells can be followed over the months. The larger community publishes "
        "sums of many members, never figures of this one alone."
    ),
    CHINESE: (
        "上级汇总中心只知道本中心的一个随机名称。在本中心作为成员期间该名称保持不变："
        "本中心告知的内容可以逐月连贯地看到。"
        "上级社区只公布许多成员的合计，从不单独公布本中心的数值。"
    ),
}
OWN_BROKER: Final = {
    ENGLISH: (
        "This hub's messages go over the MQTT broker of a Home Assistant. Whoever may use that "
        "broker can read them, too."
    ),
    CHINESE: (
        "本中心的消息经由某个 Home Assistant 的 MQTT 代理传送。"
        "凡能使用该代理的人，也能读到这些消息。"
    ),
}
CLEAR: Final = {
    ENGLISH: (
        "The larger hub knows this hub by a name that stays the same. It is a pilot: the larger "
        "community may show figures of this hub alone to its members, and to everybody who may use "
        "the Home Assistant in which the larger hub runs."
    ),
    CHINESE: (
        "上级汇总中心以一个固定不变的名称识别本中心。"
        "这是试点项目：上级社区可以把本中心单独的数值展示给其成员，"
        "以及所有能使用上级汇总中心所在 Home Assistant 的人。"
    ),
}
