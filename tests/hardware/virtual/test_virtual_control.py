"""The control server, over real HTTP."""

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import ClientSession
from modbus_connection.exceptions import ModbusConnectionError
import pytest

from hardware.virtual import ControlServer, VirtualClock, VirtualHome, preset
from tests.hardware.virtual.reading import NOON, Connect


class Control:
    def __init__(self, session: ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def state(self, **query: Any) -> dict[str, Any]:
        async with self._session.get(f"{self._url}/state", params=query) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> dict[str, Any]:
        async with self._session.post(f"{self._url}/{path}", json=body) as response:
            assert response.status == status, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer


@pytest.fixture
async def home(clock: VirtualClock, socket_enabled: None) -> AsyncIterator[VirtualHome]:
    async with VirtualHome(preset("home", initial=1e6), clock=clock) as home:
        yield home


@pytest.fixture
async def control(home: VirtualHome) -> AsyncIterator[Control]:
    async with ControlServer({"": home}, home.clock) as server, ClientSession() as session:
        assert server.url.startswith("http://127.0.0.1:")
        yield Control(session, server.url)


async def test_the_state_holds_the_truth_of_every_meter(
    control: Control, home: VirtualHome
) -> None:
    state = await control.state()
    assert (state["time"], state["at"], state["speed"], state["frozen"]) == (NOON, NOON, 1, True)
    assert state["utc"] == "2026-07-15T11:00:00.000+00:00"
    assert list(state["meters"]) == ["grid", "heat_pump", "solar", "battery", "ev"]
    grid = state["meters"]["grid"]
    assert (grid["port"], grid["unit"], grid["profile"]) == (home.port, 1, "eastron_sdm630")
    assert grid["true"] == pytest.approx(home["grid"].true_values())
    assert grid["shown"] == home["grid"].shown_values()
    assert grid["serial"] == home["grid"].identity.serial
    assert (grid["open"], grid["faults"], grid["requests"]) == (True, [], 0)


async def test_a_forced_load_for_a_known_time(control: Control) -> None:
    await control.post("load", {"node": "grid", "watts": 1800})
    first = await control.state()
    answer = await control.post("clock", {"step": 7200})
    assert answer["time"] == NOON + 7200
    second = await control.state()
    gained = [state["meters"]["grid"]["true"]["energy_import"] for state in (first, second)]
    assert gained[1] - gained[0] == pytest.approx(3600, abs=1e-6)
    past = await control.state(at=NOON + 3600)
    assert past["meters"]["grid"]["true"]["energy_import"] - gained[0] == pytest.approx(1800)
    await control.post("load", {"node": "grid", "watts": [1, 2, 3]})
    grid = (await control.state())["meters"]["grid"]["true"]
    assert (grid["power_l1"], grid["power_l3"], grid["power"]) == (1, 3, 6)
    await control.post("load", {"node": "grid", "watts": None})
    assert (await control.state())["meters"]["grid"]["true"]["power"] != pytest.approx(6)


async def test_faults_come_and_go(control: Control, home: VirtualHome) -> None:
    await control.post("fault", {"meter": "grid", "fault": "late", "seconds": 2})
    await control.post("fault", {"meter": "solar", "fault": "freeze"})
    await control.post("fault", {"meter": "grid", "fault": "silent", "times": 3})
    meters = (await control.state())["meters"]
    assert meters["grid"]["faults"] == [
        {"fault": "late", "times": None, "seconds": 2.0},
        {"fault": "silent", "times": 3},
    ]
    await control.post("clear", {"meter": "grid", "fault": "late"})
    assert [fault.name for fault in home["grid"].faults] == ["silent"]
    await control.post("clear")
    assert home["grid"].faults == home["solar"].faults == ()


async def test_a_counter_can_be_reset(control: Control) -> None:
    body = {"meter": "grid", "fault": "reset", "to": 77, "quantities": ["energy_import"]}
    await control.post("fault", body)
    grid = (await control.state())["meters"]["grid"]
    assert grid["shown"]["energy_import"] == pytest.approx(77)
    assert grid["true"]["energy_import"] == pytest.approx(1e6)


async def test_the_clock_can_be_driven(control: Control, home: VirtualHome) -> None:
    assert (await control.post("clock", {"speed": 60}))["frozen"] is False
    assert home.clock.speed == 60
    assert (await control.post("clock", {"freeze": True}))["frozen"] is True
    now = home.clock.now()
    assert now > NOON
    assert (await control.post("clock", {"step": 0.5}))["time"] == now + 0.5
    assert (await control.post("clock", {"freeze": False}))["frozen"] is False


async def test_the_port_can_be_closed_and_opened(
    control: Control, home: VirtualHome, connect: Connect
) -> None:
    await control.post("port", {"open": False})
    assert (await control.state())["meters"]["grid"]["open"] is False
    with pytest.raises(ModbusConnectionError):
        await connect(home.port)
    await control.post("port", {"open": True})
    unit = await connect(home.port)
    assert len(await unit.read_input_registers(0, 2)) == 2


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("fault", {"meter": "attic", "fault": "silent"}, "there is no meter 'attic'"),
        ("fault", {"fault": "silent"}, "there is no meter None; there are grid, heat_pump"),
        ("fault", {"meter": "grid", "fault": "sulk"}, "'sulk' is not a fault"),
        ("fault", {"meter": "grid", "fault": "spike", "quantity": "x", "value": 1}, "no register"),
        ("fault", {"meter": "grid", "fault": "reset", "quantities": ["x"]}, "not a counter"),
        ("fault", [1], "not a JSON object"),
        ("clear", {"meter": "attic"}, "there is no meter"),
        ("clock", {"speed": 0}, "speed"),
        ("clock", {"step": -1}, "forward"),
        ("clock", {"step": "1"}, "give one of speed"),
        ("clock", {}, "give one of speed"),
        ("load", {"node": "attic", "watts": 1}, "there is no node 'attic'"),
        ("load", {"node": "grid"}, "give node, and watts"),
        ("load", {"node": "grid", "watts": [1, 2]}, "give node, and watts"),
        ("load", {"node": "grid", "watts": [1, 2, "3"]}, "'3' is not a number"),
        ("load", {"node": "grid", "watts": 1, "home": "other"}, "there is no home 'other'"),
        ("port", {}, "give open"),
    ],
)
async def test_what_cannot_be_done_is_explained(
    control: Control, path: str, body: Any, message: str
) -> None:
    assert message in (await control.post(path, body, status=400))["error"]


async def test_requests_that_are_not_json_and_times_that_are_not_past(control: Control) -> None:
    url = control._url
    async with ClientSession() as session:
        async with session.post(f"{url}/clock", data=b"{") as response:
            assert (response.status, await response.json()) == (
                400,
                {"error": "the request is not JSON"},
            )
        for asked in (str(NOON + 1), "noon", "nan"):
            async with session.get(f"{url}/state", params={"at": asked}) as response:
                assert response.status == 400


async def test_several_homes_have_names(clock: VirtualClock, socket_enabled: None) -> None:
    homes = {name: VirtualHome(preset("grid"), clock=clock) for name in ("a", "b")}
    server = ControlServer(homes, clock)
    assert list(server.state()["meters"]) == ["a/grid", "b/grid"]
    async with server, ClientSession() as session:
        control = Control(session, server.url)
        await control.post("load", {"node": "grid", "watts": 10, "home": "b"})
        await control.post("fault", {"meter": "a/grid", "fault": "silent"})
    assert homes["b"]["grid"].true_values()["power"] == pytest.approx(10)
    assert homes["a"]["grid"].true_values()["power"] != pytest.approx(10)
    assert (len(homes["a"]["grid"].faults), len(homes["b"]["grid"].faults)) == (1, 0)
