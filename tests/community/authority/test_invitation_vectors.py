"""The published vectors and schema of invitations: what another vendor tests with."""

import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.carbon_meter.community.authority.invitation import (
    InvitationError,
    read_invitation,
)
from custom_components.carbon_meter.community.authority.reasons import Reason
from tests.community.contract.json_schema import is_valid, schema_of

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "docs/community/vectors/invitations/invitations.json").read_text()
)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_home_makes_of_it_what_the_vector_says(vector: dict[str, Any]) -> None:
    if vector["outcome"] == "accepted":
        assert read_invitation(vector["text"], vector["now"]).home == "home_17"
    else:
        with pytest.raises(InvitationError) as caught:
            read_invitation(vector["text"], vector["now"])
        assert caught.value.reason == vector["reason"]


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if "schema" in vector],
    ids=lambda vector: vector["name"],
)
def test_the_schema_alone_says_what_the_vector_says(vector: dict[str, Any]) -> None:
    value = json.loads(vector["text"])
    assert is_valid(schema_of("invitation"), value) == (vector["schema"] == "valid")


def test_every_reason_of_an_invitation_is_shown() -> None:
    shown = {vector["reason"] for vector in VECTORS if vector["outcome"] == "refused"}
    assert shown == {each.value for each in Reason}
