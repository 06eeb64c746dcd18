"""Every packaged family with pages, played by a real web server and read back."""

from collections.abc import AsyncIterator
import ssl

import aiohttp
import pytest

from custom_components.carbon_meter.metering.errors import (
    MeterAuthError,
    MeterGarbledError,
    MeterRejectedError,
    MeterSilentError,
)
from custom_components.carbon_meter.metering.json.identification import identify_http
from custom_components.carbon_meter.metering.json.meter import HttpJsonMeter
from custom_components.carbon_meter.metering.json.profile import AuthKind, JsonProfile
from custom_components.carbon_meter.metering.json.web import Credentials, Web
from custom_components.carbon_meter.metering.profile_library import load_profiles
from hardware.virtual.clock import VirtualClock
from hardware.virtual.electrical import Supply
from hardware.virtual.faults import (
    BrokenFrame,
    Close,
    Garbage,
    Jump,
    Late,
    NotAvailable,
    Refuse,
    Reset,
    Silent,
)
from hardware.virtual.household import Household
from hardware.virtual.web import Unknown, WebDevice, WebMeterSpec, WebPort, models
from tests.metering.json.certificate import self_signed

PROFILES = {
    key: profile
    for key, profile in load_profiles().of(JsonProfile).items()
    if profile.protocol == "http"
}
PAGES = sorted(PROFILES)
WITH_PASSWORD = [
    key for key in PAGES if PROFILES[key].auth.kind not in (AuthKind.NONE, AuthKind.SESSION)
]
KNOWN = Credentials(username="admin", password="s3cret & more", token="t0ken")


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def house(clock: VirtualClock) -> Household:
    """A house that draws 3.3 kW, and sends as much on one phase as it draws on another."""
    household = Household.constant(3300.0, clock.now(), supply=Supply(seed=3))
    clock.step(3600)
    return household


def played(name: str, house: Household, clock: VirtualClock, **given) -> WebDevice:
    given = {"initial_import": 12_345_678.0, "initial_export": 4_321_000.0} | given
    return WebDevice.alone(PROFILES[name], house, clock, **given)


def reader(session, port: WebPort, **given) -> HttpJsonMeter:
    device = port.device
    settings = {
        key: value
        for key, value in device.meter.settings.items()
        if device.profile.settings[key] != value
    }
    return HttpJsonMeter(session, device.profile, base_url=port.url, settings=settings, **given)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("watts", [3300.0, -1250.0])
async def test_every_family_is_identified_among_all_and_read_exactly(
    name, watts, session, house, clock, tls
) -> None:
    house.force("grid", watts, clock.now())
    clock.step(600)
    device = played(name, house, clock)
    secure = tls if device.profile.scheme == "https" else None
    credentials = KNOWN if device.profile.auth.kind is AuthKind.BEARER else None

    async with WebPort(device, context=secure, credentials=credentials) as port:
        found = await identify_http(
            session,
            "127.0.0.1",
            port.port,
            load_profiles().of(JsonProfile).values(),
            scheme=device.profile.scheme,
            credentials=credentials,
            clock=clock.now,
        )
        shown = device.shown_values()

        (best,) = [
            each
            for each in found.candidates
            if device.meter.settings.items() >= each.settings.items()
        ][:1]
        assert best.profile.id == name
        assert best.certain == device.profile.probe.certain
        assert dict(best.reading.values) == shown
        assert best.reading.faults == ()
        assert best.reading.time == clock.now()

        meter = reader(session, port, credentials=credentials, clock=clock.now)
        assert (await meter.read()).values == shown
        assert meter.absent == tuple(key for key in device.profile.quantities if key not in shown)

    truth = device.meter.true_values()
    assert {"power", "energy_import"} <= shown.keys()
    one_way = "energy_export" not in shown
    for key, value in shown.items():
        if key == "energy_total" and one_way:
            key = "energy_import"  # noqa: PLW2901  # all that such a meter counts
        assert value == pytest.approx(truth[key], abs=1.01, rel=1e-3), key


@pytest.mark.parametrize("form", Unknown)
@pytest.mark.parametrize("name", PAGES)
async def test_what_a_device_does_not_know_is_absent(
    name, form, session, house, clock, tls
) -> None:
    device = played(name, house, clock)
    secure = tls if device.profile.scheme == "https" else None
    async with WebPort(device, context=secure) as port:
        meter = reader(session, port)
        whole = dict((await meter.read()).values)
        for lost in (list(whole)[::2], list(whole)[1::2]):
            device.meter.remember()
            device.meter.forget(lost, form)

            reading = await meter.read()

            expected = device.shown_values()
            assert not [key for key in lost if key in reading.values and not other_way(device, key)]
            assert {each: reading.values.get(each) for each in expected} == expected
            assert set(reading.values) <= set(whole)
            assert reading.faults == ()


def other_way(device: WebDevice, key: str) -> bool:
    """Return whether a family has a second place for a quantity."""
    return [field.quantity for field in device.profile.fields].count(key) > 1


@pytest.mark.parametrize("name", PAGES)
async def test_garbage_is_an_error_or_a_fault_and_never_a_number(
    name, session, house, clock, tls
) -> None:
    device = played(name, house, clock)
    secure = tls if device.profile.scheme == "https" else None
    async with WebPort(device, context=secure) as port:
        meter = reader(session, port)
        for fault, error in (
            (Garbage(), MeterGarbledError),
            (BrokenFrame(), MeterGarbledError),
            (Close(), MeterSilentError),
            (Refuse(code=500), MeterRejectedError),
            (Refuse(code=401), MeterAuthError),
            (Refuse(code=403), MeterAuthError),
        ):
            port.apply(fault)
            with pytest.raises(error):
                await meter.read()
            port.clear()
        assert (await meter.read()).values == device.shown_values()


async def test_nulls_everywhere_are_an_empty_reading(session, house, clock) -> None:
    async with WebPort(played("homewizard_v1", house, clock)) as port:
        port.apply(NotAvailable())
        reading = await reader(session, port).read()
        assert (reading.values, reading.faults) == ({}, ())
        port.apply(NotAvailable(quantities=("power",)))
        port.clear()
        assert "power" in (await reader(session, port).read()).values


async def test_silence_ends_after_a_while(session, house, clock) -> None:
    async with WebPort(played("iometer", house, clock)) as port:
        port.apply(Silent(times=1))
        web = Web(session, port.url, patience=0.2)
        with pytest.raises(MeterSilentError, match="no answer in time"):
            await reader(session, port, web=web).read()
        port.apply(Late(seconds=0.01, times=2))
        meter = reader(session, port, web=Web(session, port.url))
        assert (await meter.read()).values == port.device.shown_values()
        assert (await meter.read()).values


async def test_counters_begin_again_and_jump(session, house, clock) -> None:
    async with WebPort(played("shelly_pro3em_triphase", house, clock)) as port:
        meter = reader(session, port)
        before = (await meter.read()).values["energy_import"]
        port.apply(Jump(by=1000.0))
        assert (await meter.read()).values["energy_import"] == pytest.approx(before + 1000)
        port.apply(Reset())
        assert (await meter.read()).values["energy_import"] == 0
        assert port.device.meter.true_values()["energy_import"] == pytest.approx(before, abs=0.01)


@pytest.mark.parametrize("name", WITH_PASSWORD)
async def test_who_knows_the_password_is_let_in(name, session, house, clock, tls) -> None:
    device = played(name, house, clock)
    kind = device.profile.auth.kind
    secure = tls if device.profile.scheme == "https" else None
    async with WebPort(device, context=secure, credentials=KNOWN) as port:
        with pytest.raises(MeterAuthError, match="wanted") as refused:
            await reader(session, port).read()
        assert refused.value.kind == kind
        wrong = Credentials(username="admin", password="guess", token="guess")
        with pytest.raises(MeterAuthError, match="not accepted"):
            await reader(session, port, credentials=wrong).read()
        meter = reader(session, port, credentials=KNOWN)
        assert (await meter.read()).values == device.shown_values()
        assert (await meter.read()).values == device.shown_values()

        found = await identify_http(
            session,
            "127.0.0.1",
            port.port,
            PROFILES.values(),
            scheme=device.profile.scheme,
            credentials=KNOWN,
        )
        assert found.candidates[0].profile.id == name
        if device.profile.probe.path in device.pages() and kind is not AuthKind.QUERY:
            with pytest.raises(MeterAuthError) as refused:
                await identify_http(
                    session, "127.0.0.1", port.port, PROFILES.values(), scheme=device.profile.scheme
                )
            assert refused.value.kind == kind


async def test_several_meters_of_one_device_are_several_candidates(session, house, clock) -> None:
    profile = PROFILES["shelly_gen1_em"]
    specs = [
        WebMeterSpec(node="heat_pump", settings={"channel": 0}),
        WebMeterSpec(node="solar", settings={"channel": 1}),
    ]
    simulated = Household.simulated(clock.now())
    device = WebDevice(profile, specs, simulated, clock)
    async with WebPort(device) as port:
        found = await identify_http(session, "127.0.0.1", port.port, PROFILES.values())
    assert [candidate.settings for candidate in found.candidates] == [
        {"channel": 0},
        {"channel": 1},
    ]
    for number, candidate in enumerate(found.candidates):
        assert candidate.certain
        assert (candidate.model, candidate.serial) == ("SHEM", "C45BBE000001")
        assert dict(candidate.reading.values) == device.shown_values(number)


def test_every_family_is_played() -> None:
    assert set(models()) == set(load_profiles().of(JsonProfile))
    with pytest.raises(ValueError, match="no node"):
        WebDevice.alone(PROFILES["iometer"], Household.constant(1, 0), VirtualClock(0), node="x")
