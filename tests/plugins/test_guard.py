"""What comes out of other people's drivers is a reading, or an error that says what is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
import math
import time
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from hypothesis import given, strategies as st
import pytest

from custom_components.carbon_meter.driver import MeterConnection, MeterDriver, ProbeError
from custom_components.carbon_meter.guard import guarded
from custom_components.carbon_meter.guarded_connection import (
    GuardedConnection,
    as_meter_error,
    checked_reading,
)
from custom_components.carbon_meter.metering.candidate import Candidate
from custom_components.carbon_meter.metering.errors import (
    MeterError,
    MeterGarbledError,
    MeterRefusedError,
    MeterSilentError,
    MeterUnreachableError,
)
from custom_components.carbon_meter.metering.profile import Profile
from custom_components.carbon_meter.metering.profile_library import ProfileLibrary
from custom_components.carbon_meter.metering.quantities import QUANTITIES
from custom_components.carbon_meter.metering.readings import Reading

PROFILE = Profile(
    id="own",
    vendor="Own",
    name="M1",
    models=("M1",),
    phases=1,
    protocol="own",
    quantities=("power", "voltage", "energy_import"),
)
LIBRARY = ProfileLibrary(profiles={"own": PROFILE})


def reading(**values: Any) -> Reading:
    return Reading(time=time.time(), values=values)


CANDIDATE = Candidate(
    profile=PROFILE, settings={}, certain=True, reading=Reading(time=0.0, values={})
)


class Moody(MeterDriver):
    """Does what a test says."""

    key = "own"
    name = "Own"

    def __init__(self, does: Callable[[], Any]) -> None:
        self.does = does

    @property
    @override
    def address_fields(self):
        return self.does()

    @override
    def address(self, user_input):
        return self.does()

    @override
    def place(self, data):
        return self.does()

    @override
    async def async_probe(self, hass, address, profiles):
        return self.does()

    @override
    async def async_search(self, hass, host, port, profiles, *, every_unit, progress):
        return self.does()

    @override
    async def async_call(self, hass, profiles):
        return self.does()

    @override
    async def async_recognise(self, hass, topic, payload, profiles):
        return self.does()

    @override
    async def async_first_reading(self, hass, candidate):
        return self.does()

    @override
    def profile(self, data, profiles):
        return self.does()

    @override
    def can_try(self, profile):
        return self.does()

    @override
    async def async_try(self, hass, address, profile):
        return self.does()

    @override
    async def async_open(self, hass, entry, data, profile):
        return self.does()


class Connection(MeterConnection):
    """Says what a test says."""

    def __init__(self, does: Callable[[], Any]) -> None:
        self.does = does

    @property
    @override
    def absent(self):
        return self.does()

    @property
    @override
    def requests(self):
        return self.does()

    @property
    @override
    def speaks(self):
        return True

    @override
    async def async_read(self):
        return self.does()

    @override
    def async_listen(self, heard, lost):
        for said in self.does():
            heard(said)
        return self.does

    @override
    def as_dict(self):
        return self.does()

    @override
    def restore(self, data):
        self.does()

    @override
    async def async_close(self):
        self.does()


def raising(error: BaseException) -> Callable[[], Any]:
    def does() -> Any:
        raise error

    return does


async def probe_error(answer: Awaitable[Any]) -> ProbeError:
    with pytest.raises(ProbeError) as caught:
        await answer
    return caught.value


def test_everything_is_passed_on_and_nothing_forgotten() -> None:
    for base, guard in (
        (MeterDriver, type(guarded(Moody(dict)))),
        (MeterConnection, GuardedConnection),
    ):
        for name in vars(base):
            if name.startswith("_"):
                continue
            owner = next(kind for kind in guard.__mro__ if name in vars(kind))
            assert owner is not base, f"{base.__name__}.{name} does not reach the plugin"


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (ConnectionRefusedError("no"), "refused"),
        (OSError("no route"), "unreachable"),
        (TimeoutError(), "silent"),
        (asyncio.IncompleteReadError(b"", 4), "silent"),
        (MeterGarbledError("SMTP"), "not_a_meter"),
        (KeyError("host"), "unknown"),
        (HomeAssistantError("not set up"), "unknown"),
        (ProbeError("auth", "password"), "auth"),
    ],
)
async def test_error_of_a_probe_is_one_that_the_form_shows(
    hass: HomeAssistant, error: Exception, key: str
) -> None:
    driver = guarded(Moody(raising(error)))
    assert (await probe_error(driver.async_probe(hass, {}, LIBRARY))).key == key
    assert (await probe_error(driver.async_try(hass, {}, PROFILE))).key == key
    assert await driver.async_first_reading(hass, CANDIDATE) is CANDIDATE


@pytest.mark.parametrize("answer", [None, 7, [7], (None,)])
async def test_answer_of_another_kind_is_an_error(hass: HomeAssistant, answer: Any) -> None:
    driver = guarded(Moody(lambda: answer))
    assert (await probe_error(driver.async_probe(hass, {}, LIBRARY))).key == "unknown"
    assert (await probe_error(driver.async_try(hass, {}, PROFILE))).key == "unknown"
    assert await driver.async_call(hass, LIBRARY) == ()


async def test_what_cannot_be_stored_is_not_kept(hass: HomeAssistant) -> None:
    candidate = Candidate(
        profile=PROFILE, settings={"place": object()}, certain=True, reading=reading()
    )
    driver = guarded(Moody(lambda: (candidate,)))
    error = await probe_error(driver.async_probe(hass, {}, LIBRARY))
    assert error.key == "unknown"
    assert "object" in error.detail


async def test_no_candidate_is_an_unknown_model(hass: HomeAssistant) -> None:
    driver = guarded(Moody(tuple))
    assert (await probe_error(driver.async_probe(hass, {}, LIBRARY))).key == "unknown_model"


@pytest.mark.parametrize("error", [KeyError("host"), RuntimeError(), OSError("gone")])
async def test_driver_that_fails_everywhere_fails_alone(
    hass: HomeAssistant, error: Exception
) -> None:
    driver = guarded(Moody(raising(error)))
    assert driver.address_fields == {}
    assert driver.address({"host": "a"}) == {}
    assert driver.place({"host": "a"}) != driver.place({"host": "b"})
    assert driver.profile({}, LIBRARY) is None
    assert not driver.can_try(PROFILE)
    assert await driver.async_call(hass, LIBRARY) == ()
    assert await driver.async_recognise(hass, "t", b"", LIBRARY) == ()
    found = await driver.async_search(
        hass, "h", 1, LIBRARY, every_unit=False, progress=lambda part: None
    )
    assert found == ()
    with pytest.raises(HomeAssistantError):
        await driver.async_open(hass, None, {}, PROFILE)


async def test_what_is_no_connection_is_refused(hass: HomeAssistant) -> None:
    with pytest.raises(HomeAssistantError):
        await guarded(Moody(lambda: 7)).async_open(hass, None, {}, PROFILE)


async def test_connection_that_fails_everywhere_is_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection = GuardedConnection(Connection(raising(KeyError("x"))), "own", PROFILE)
    lost: list[MeterError] = []
    assert connection.absent == frozenset()
    assert connection.requests == 0
    assert connection.as_dict() == {}
    connection.restore({})
    connection.async_listen(lambda heard: None, lost.append)()
    assert [type(error) for error in lost] == [MeterError]
    for _ in range(3):
        with pytest.raises(MeterError, match="KeyError: 'x'"):
            await connection.async_read()
    await connection.async_close()
    assert caplog.text.count("A meter of the driver own failed") == 1


async def test_spoken_readings_are_checked() -> None:
    good, bad = reading(power=7.0), "seven"
    connection = GuardedConnection(Connection(lambda: [good, bad]), "own", PROFILE)
    heard: list[Reading] = []
    lost: list[MeterError] = []
    connection.async_listen(heard.append, lost.append)
    assert [dict(each.values) for each in heard] == [{"power": 7.0}]
    assert [type(error) for error in lost] == [MeterGarbledError]


@pytest.mark.parametrize("moment", [0.0, math.nan, math.inf, None, "now", 4e12, True])
def test_reading_of_another_time_is_refused(moment: Any) -> None:
    with pytest.raises(MeterGarbledError):
        checked_reading(Reading(time=moment, values={"power": 1.0}), PROFILE)


@pytest.mark.parametrize("said", [None, 7, {"power": 1}, Reading(time=0, values=None)])
def test_what_is_no_reading_is_refused(said: Any) -> None:
    with pytest.raises(MeterGarbledError):
        checked_reading(said, PROFILE)


@given(
    st.dictionaries(
        st.sampled_from([*PROFILE.quantities, "warmth", "power_l1"]) | st.integers(),
        st.floats() | st.none() | st.text(max_size=3) | st.booleans() | st.integers(),
    )
)
def test_only_possible_values_come_through(values: dict[Any, Any]) -> None:
    checked = checked_reading(Reading(time=time.time(), values=values), PROFILE)
    for key, value in checked.values.items():
        assert key in PROFILE.quantities
        assert value == values[key]
        assert abs(value) <= QUANTITIES[key].limit
        assert value >= 0 or key != "energy_import"
    assert len(checked.values) + len(checked.faults) == len(values)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(), MeterRefusedError),
        (ConnectionResetError(), MeterSilentError),
        (TimeoutError(), MeterSilentError),
        (OSError(), MeterUnreachableError),
        (MeterGarbledError("x"), MeterGarbledError),
        (ZeroDivisionError(), MeterError),
    ],
)
def test_exceptions_become_errors_of_the_meter(error: Exception, kind: type[MeterError]) -> None:
    assert type(as_meter_error(error)) is kind
