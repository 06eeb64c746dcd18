"""Topics: built, parsed, and what they keep out."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.carbon_meter.community.contract.refusal import Code, RefusedError
from custom_components.carbon_meter.community.contract.topics import (
    Channel,
    Topic,
    build,
    parse,
    parse_as,
    to_home,
    to_hub,
)
from tests.community.contract.made import ids


@given(ids, ids, st.sampled_from(Channel), st.integers(0, 99_999_999_999))
@settings(deadline=None)
def test_what_is_built_is_parsed(community: str, home: str, channel: Channel, start: int) -> None:
    topic = Topic(
        community=community,
        home=home,
        channel=channel,
        start=start if channel is Channel.FOOTPRINT else None,
    )
    assert parse(build(topic)) == topic


@pytest.mark.clause("CM-1")
@given(st.text(alphabet="cmv1/+#$updownfpacks0 ", max_size=40) | st.text())
@settings(deadline=None)
def test_what_is_parsed_is_what_would_be_built(text: str) -> None:
    try:
        topic = parse(text)
    except RefusedError as err:
        code = err.code
    else:
        assert build(topic) == text
        return
    assert code is Code.TOPIC


@pytest.mark.clause("CM-2")
@pytest.mark.parametrize(
    "home", ["#", "+", "a/b", "$SYS", "", "A", "public", "hub", "a" * 65, "a\n"]
)
def test_ids_that_are_more_than_a_name_are_not_built(home: str) -> None:
    with pytest.raises(RefusedError) as caught:
        build(Topic(community="street", home=home, channel=Channel.ACK))
    assert caught.value.clause == "CM-2"


@pytest.mark.parametrize(
    ("channel", "start"), [(Channel.FOOTPRINT, None), (Channel.ACK, 0), (Channel.CONSENT, 3600)]
)
def test_a_start_belongs_to_footprints(channel: Channel, start: int | None) -> None:
    with pytest.raises(RefusedError) as caught:
        build(Topic(community="street", home="home", channel=channel, start=start))
    assert caught.value.clause == "CM-1"


@pytest.mark.clause("CM-1")
@pytest.mark.parametrize("tail", ["up/mask", "up/round", "down/round"])
def test_the_topics_of_masked_sums_are_kept_free(tail: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(f"cm/v1/street/home/{tail}")
    assert caught.value.clause == "CM-1"


def test_a_message_of_another_kind_is_refused() -> None:
    with pytest.raises(RefusedError, match="down/ack instead of up/consent"):
        parse_as("cm/v1/street/home/down/ack", Channel.CONSENT)


def test_subscriptions_name_one_community_and_one_home() -> None:
    assert to_hub("street") == "cm/v1/street/+/up/#"
    assert to_home("street", "home") == "cm/v1/street/home/down/+"
    for community, home in (("+", "home"), ("street", "#")):
        with pytest.raises(RefusedError):
            to_home(community, home)
    with pytest.raises(RefusedError):
        to_hub("#")
