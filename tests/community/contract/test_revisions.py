"""Which of two revisions of one period holds."""

import pytest

from custom_components.carbon_meter.community.contract.revisions import Standing, standing


@pytest.mark.clause("CM-25", "CM-26")
@pytest.mark.parametrize(
    ("revision", "digest", "expected"),
    [
        (6, "a", Standing.NEWER),
        (6, "b", Standing.NEWER),
        (5, "a", Standing.SAME),
        (5, "b", Standing.CONFLICT),
        (4, "a", Standing.OLDER),
        (4, "b", Standing.OLDER),
    ],
)
def test_the_highest_revision_holds(revision: int, digest: str, expected: Standing) -> None:
    assert standing(revision, digest, 5, "a") is expected
