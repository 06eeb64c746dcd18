import pytest

from benchmarks.metering.agreement import DisagreementError, check_agreement

OURS = {"power": "1234.5678", "energy_import": "12345.678"}


def test_rounded_values_agree() -> None:
    check_agreement(OURS, OURS, {"power": "1234.57", "energy_import": "12345.68"})


@pytest.mark.parametrize(
    "peer",
    [
        {"power": "1234.6", "energy_import": "12345.68"},
        {"power": "unavailable", "energy_import": "12345.68"},
        {"energy_import": "12345.68"},
        {"power": "nan", "energy_import": "12345.68"},
    ],
)
def test_another_value_or_none_is_told(peer: dict[str, str]) -> None:
    with pytest.raises(DisagreementError, match="power"):
        check_agreement(OURS, OURS, peer)


def test_a_quantity_that_ours_lacks_is_told() -> None:
    with pytest.raises(DisagreementError, match="power"):
        check_agreement(OURS, {"energy_import": "1"}, OURS)
