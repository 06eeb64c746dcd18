"""When a provider's trouble is for the user, and when it is asked again."""

from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.carbon.intensity.live.errors import (
    ProviderAuthError,
    ProviderChangedError,
    ProviderError,
    ProviderLimitedError,
    ProviderPlanError,
    ProviderTemporaryError,
    ProviderZoneError,
)
from custom_components.carbon_meter.sources.trouble import Trouble

KINDS = (
    ProviderAuthError,
    ProviderChangedError,
    ProviderLimitedError,
    ProviderPlanError,
    ProviderTemporaryError,
    ProviderZoneError,
)
HOUR = 3600.0


def test_what_nobody_foresaw_is_told_after_three_times() -> None:
    trouble = Trouble()
    for _ in range(2):
        trouble.failed(KeyError("value"), 0.0)
        assert not trouble.is_told(0.0)
    trouble.failed(KeyError("value"), 0.0)
    assert trouble.is_told(0.0)


def test_slowness_of_many_requests_is_no_change_of_the_answer() -> None:
    trouble = Trouble()
    for _ in range(4):
        trouble.failed(TimeoutError(), 0.0)
    assert not trouble.is_told(5 * HOUR)
    assert trouble.is_told(6 * HOUR)


def test_row_of_changed_answers_ends_with_another_trouble() -> None:
    trouble = Trouble()
    for error in (ProviderChangedError("a"), ProviderTemporaryError("b")) * 4:
        trouble.failed(error, 0.0)
        assert not trouble.is_told(0.0)


@pytest.mark.parametrize("seconds", [0.0, 10.0, 7200.0])
def test_provider_says_when_a_limit_ends(seconds: float) -> None:
    assert Trouble().failed(ProviderLimitedError("x", retry_after=seconds), 0.0) == seconds


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.none() | st.floats(0, 1e6), st.floats(0, 1e6)),
        min_size=1,
        max_size=20,
    )
)
def test_every_trouble_has_an_end(
    row: list[tuple[type[ProviderError], float | None, float]],
) -> None:
    trouble = Trouble()
    for kind, asked, moment in row:
        wait = trouble.failed(kind("x", retry_after=asked), moment)
        assert 0 <= wait <= 86400
        if kind is not ProviderLimitedError:
            assert wait >= 60
        assert trouble.since <= moment
        assert not (kind is ProviderAuthError and trouble.is_told(1e9))
    trouble.over()
    assert trouble == Trouble()
    assert not trouble.is_told(1e9)
