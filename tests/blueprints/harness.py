"""A blueprint in a real Home Assistant core: devices that take calls, and time that tests move.

    async def test_it(house):
        charger = await house.add(FakeSwitch("charger"))
        car = await house.load("car", run_now="off")
        await house.automate("ev_charger_switch", device=charger.entity_id, ...)
        await car.say("run_now", "on")
        assert house.services(charger) == ["turn_on"]

What a blueprint tells goes to `house.told` when `TELL` is given as its notification action; what
it writes into the logbook is in `house.logged`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
from homeassistant.auth.const import GROUP_ID_ADMIN
from homeassistant.components import automation, logbook
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context, CoreState, Event, HomeAssistant, ServiceCall, callback
from homeassistant.helpers.entity_platform import AddEntitiesCallback
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from homeassistant.util.yaml import dump
from pytest_homeassistant_custom_component.common import (
    MockPlatform,
    async_capture_events,
    async_fire_time_changed,
    mock_platform,
)

from tests.blueprints.devices import Call, Device, FakeButton, FakeSwitch

ROOT: Final = Path(__file__).parents[2]
BLUEPRINTS: Final = ROOT / "blueprints" / "automation" / "carbon_meter"
ZONE: Final = "Europe/Berlin"
START: Final = datetime(2026, 11, 11, 11, 0, 30, tzinfo=UTC)
"""A Wednesday, 12:00:30 in Berlin: between two of the healer's five-minute marks."""

TELL: Final = [{"event": "told", "event_data": {"message": "{{ message }}"}}]
"""A notification action whose messages arrive in `House.told`."""

DOMAINS: Final = {
    "run_now": "binary_sensor",
    "deadline_at_risk": "binary_sensor",
    "next_start": "sensor",
    "target_power": "sensor",
    "target_current": "sensor",
    "setpoint": "sensor",
    "brightness": "sensor",
    "plan": "sensor",
    "planned_saving": "sensor",
    "realised_saving": "sensor",
}
"""Entities of a load that are plain states here, by the end of their id."""


class FakeLoad:
    """The entities that the integration gives a load: states, two switches and a button."""

    def __init__(self, house: House, name: str) -> None:
        """Name it; `House.load` adds its entities."""
        self.house = house
        self.name = name
        self.override = FakeSwitch(f"{name}_override")
        self.ready = FakeSwitch(f"{name}_ready")
        self.start_now = FakeButton(f"{name}_start_now")

    def id(self, key: str) -> str:
        """Return the id of an entity by the end of it: `run_now`, `override`, `plan`..."""
        for device in (self.override, self.ready, self.start_now):
            if device.entity_id.endswith(f".{self.name}_{key}"):
                return device.entity_id
        return f"{DOMAINS[key]}.{self.name}_{key}"

    async def say(self, key: str, state: object, **attributes: Any) -> None:
        """Set one of its states and wait until all is done that follows from it."""
        await self.house.say(self.id(key), state, **attributes)


class House:
    """Devices and automations in Home Assistant."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        """Take a core and the hand that moves time."""
        self.hass = hass
        self.freezer = freezer
        self.expected_errors: list[str] = []
        """Parts of complaints of automations that a test provokes."""

        self.devices: list[Device] = []
        self.automations: list[dict[str, Any]] = []
        self.user_id = ""
        """Of the user who changes devices at the dashboard."""

        self._adders: dict[str, AddEntitiesCallback] = {}
        self._states: dict[str, tuple[str, dict[str, Any]]] = {}
        self._told: list[Event] = []
        self._logged: list[Event] = []

    async def open(self, start: datetime | None = START) -> None:
        """Start at a moment in `ZONE`, with the components that blueprints need.

        Where the moment is None, time and zone stay as they are: somebody else moves them.
        """
        if start is not None:
            self.freezer.move_to(start)
            await self.hass.config.async_set_time_zone(ZONE)
        assert await async_setup_component(self.hass, "homeassistant", {})
        _add_logbook(self.hass)
        user = await self.hass.auth.async_create_user("Somebody", group_ids=[GROUP_ID_ADMIN])
        self.user_id = user.id
        self._told = async_capture_events(self.hass, "told")
        self._logged = async_capture_events(self.hass, logbook.EVENT_LOGBOOK_ENTRY)
        folder = Path(self.hass.config.path("blueprints", "automation", "carbon_meter"))
        await self.hass.async_add_executor_job(lambda: shutil.copytree(BLUEPRINTS, folder))
        await self._write()
        assert await async_setup_component(self.hass, automation.DOMAIN, {"automation": []})

    async def close(self) -> None:
        """Take the automations away, with all that they wait for."""
        self.automations = []
        await self._write()
        await self._reload()

    # What is there

    async def add[D: Device](self, device: D) -> D:
        """Add a device."""
        if device.domain not in self._adders:
            await self._add_platform(device.domain)
        self._adders[device.domain]([device])
        self.devices.append(device)
        await self.settle()
        return device

    async def _add_platform(self, domain: str) -> None:
        """Set up a platform that devices can be added to."""

        async def async_setup_platform(
            _hass: HomeAssistant,
            _config: Mapping[str, Any],
            async_add_entities: AddEntitiesCallback,
            _discovery: Mapping[str, Any] | None = None,
        ) -> None:
            """Keep what adds entities."""
            self._adders[domain] = async_add_entities

        mock_platform(
            self.hass, f"test.{domain}", MockPlatform(async_setup_platform=async_setup_platform)
        )
        assert await async_setup_component(self.hass, domain, {domain: {"platform": "test"}})
        await self.hass.async_block_till_done()

    async def load(self, name: str, **states: object) -> FakeLoad:
        """Add a load with its switches and button, and states by the end of their id."""
        load = FakeLoad(self, name)
        for device in (load.override, load.ready, load.start_now):
            await self.add(device)
        for key, state in states.items():
            await load.say(key, state)
        return load

    async def say(self, entity_id: str, state: object, **attributes: Any) -> None:
        """Set a state that no device has, and wait until all is done that follows from it."""
        if not attributes and entity_id in self._states:
            attributes = self._states[entity_id][1]
        self._states[entity_id] = (str(state), attributes)
        self.hass.states.async_set(entity_id, str(state), attributes)
        await self.settle()

    def will_say(self, entity_id: str, state: object, **attributes: Any) -> None:
        """Set what a plain state will be after the restart that goes on."""
        self._states[entity_id] = (str(state), attributes)

    async def automate(self, blueprint: str, **inputs: Any) -> str:
        """Set an automation up from a blueprint's file name; return its entity id."""
        name = f"a{len(self.automations) + 1}"
        self.automations.append(
            {
                "id": name,
                "alias": name,
                "use_blueprint": {"path": f"carbon_meter/{blueprint}.yaml", "input": inputs},
            }
        )
        await self._write()
        await self._reload()
        state = self.hass.states.get(f"automation.{name}")
        assert state is not None
        assert state.state == "on", f"{blueprint} was refused: {state}"
        return f"automation.{name}"

    async def _write(self) -> None:
        """Write the configuration file."""
        path = Path(self.hass.config.path("configuration.yaml"))
        text = dump({"automation": self.automations})
        await self.hass.async_add_executor_job(path.write_text, text)

    async def _reload(self) -> None:
        """Reload the automations."""
        await self.hass.services.async_call("automation", "reload", blocking=True)
        await self.settle()

    # What happens

    async def settle(self) -> None:
        """Wait until all is done that follows from what happened; not for runs that wait.

        Core waits for whole runs of automations, which would be in real time where one of them
        has a delay: then all that can go on is given its turn instead.
        """
        idle = 0
        while idle < 3:
            await asyncio.sleep(0)
            is_idle = not self.hass.loop._ready and self._threads_rest()  # type: ignore[attr-defined]
            idle = idle + 1 if is_idle else 0
        if not any(
            state.attributes.get("current") for state in self.hass.states.async_all("automation")
        ):
            await self.hass.async_block_till_done()

    def _threads_rest(self) -> bool:
        """Return whether nothing is computed in another thread."""
        pool = self.hass.loop._default_executor  # type: ignore[attr-defined]
        return pool is None or (
            pool._work_queue.empty() and pool._idle_semaphore._value >= len(pool._threads)
        )

    async def pass_time(self, step: float = 60, **amount: float) -> None:
        """Let time pass (`hours=2`, `minutes=5`, `seconds=30`), in steps of so many seconds."""
        await self.until(dt_util.utcnow() + timedelta(**amount), step)

    async def until(self, moment: datetime, step: float = 60) -> None:
        """Let time pass until a moment (aware, or local), in steps of so many seconds."""
        end = dt_util.as_utc(moment)
        while (now := dt_util.utcnow()) < end:
            self.freezer.move_to(min(end, now + timedelta(seconds=step)))
            async_fire_time_changed(self.hass)
            await self.settle()

    async def jump(self, moment: datetime) -> None:
        """Move to a moment (aware, or local) at once; what is scheduled until then fires once."""
        self.freezer.move_to(dt_util.as_utc(moment))
        async_fire_time_changed(self.hass)
        await self.settle()

    async def by_hand(self, device: Device, **attributes: Any) -> None:
        """Change a device at the device: `is_on=True`, `target_temperature=22`."""
        device.by_hand(**attributes)
        await self.settle()

    async def by_user(self, device: Device, service: str, **data: Any) -> None:
        """Change a device at the dashboard; the call is taken from the device's calls again."""
        await self.hass.services.async_call(
            device.domain,
            service,
            {"entity_id": device.entity_id, **data},
            blocking=True,
            context=Context(user_id=self.user_id),
        )
        await self.settle()
        device.calls[:] = [
            call
            for call in device.calls
            if call.context is None or call.context.user_id != self.user_id
        ]

    async def leave(self, device: Device) -> None:
        """Make a device unavailable."""
        device.leave()
        await self.settle()

    async def come_back(self, device: Device, **attributes: Any) -> None:
        """Make a device available, maybe in another state."""
        device.come_back(**attributes)
        await self.settle()

    async def power_cut(self, device: Device, down: float = 30, **after: Any) -> None:
        """Cut a device's power for so many seconds; `after` is how it comes back: `is_on=False`."""
        await self.leave(device)
        await self.pass_time(seconds=down)
        await self.come_back(device, **after)

    async def restart(self, down: float = 90, meanwhile: Callable[[], None] | None = None) -> None:
        """Stop Home Assistant for so many seconds and start it as it starts itself.

        Runs of automations end, every state is gone and comes back, with a new `last_changed`,
        before automations begin. `meanwhile` is called while it is down: it may change attributes
        of devices, and plain states with `will_say`.
        """
        running = self.automations
        self.automations = []
        await self._write()
        await self._reload()
        self.hass.set_state(CoreState.not_running)
        available = [device for device in self.devices if device.available]
        for device in available:
            device.leave()
        for entity_id in self._states:
            self.hass.states.async_remove(entity_id)
        await self.settle()
        self.freezer.move_to(dt_util.utcnow() + timedelta(seconds=down))
        if meanwhile is not None:
            meanwhile()
        self.automations = running
        await self._write()
        await self._reload()
        for device in available:
            device.come_back()
        for entity_id, (state, attributes) in self._states.items():
            self.hass.states.async_set(entity_id, STATE_UNAVAILABLE, {"restored": True})
            self.hass.states.async_set(entity_id, state, attributes)
        await self.hass.async_start()
        await self.settle()

    async def reload(self) -> None:
        """Reload the automations as after an edit: runs end, nothing else changes."""
        running = self.automations
        self.automations = []
        await self._write()
        await self._reload()
        self.automations = running
        await self._write()
        await self._reload()

    def forget(self, entity_id: str) -> None:
        """Remove a plain state, now and after a restart."""
        self._states.pop(entity_id, None)
        self.hass.states.async_remove(entity_id)

    # What was done

    def calls(self, device: Device) -> list[Call]:
        """Return the commands that reached a device, but for those by `by_user`."""
        return device.calls

    def services(self, device: Device) -> list[str]:
        """Return the names of these commands."""
        return [call.service for call in device.calls]

    def values(self, device: Device, key: str) -> list[Any]:
        """Return one field of the data of these commands."""
        return [call.data[key] for call in device.calls if key in call.data]

    def forget_calls(self, *devices: Device) -> None:
        """Forget the commands until now, of these devices or of all."""
        for device in devices or self.devices:
            device.calls.clear()

    @property
    def told(self) -> list[str]:
        """Return what was told with `TELL`."""
        return [event.data["message"] for event in self._told]

    @property
    def logged(self) -> list[str]:
        """Return the lines that were written into the logbook."""
        return [event.data["message"] for event in self._logged]

    def state(self, device: Device | str) -> str:
        """Return a state."""
        state = self.hass.states.get(device if isinstance(device, str) else device.entity_id)
        assert state is not None
        return state.state

    def set_now(self, moment: datetime) -> None:
        """Begin at another moment (aware, or local): before anything is added."""
        self.freezer.move_to(dt_util.as_utc(moment))


def _add_logbook(hass: HomeAssistant) -> None:
    """Add the logbook's action, without the pages and the database behind it."""

    @callback
    def log(call: ServiceCall) -> None:
        """Log as the logbook does."""
        logbook.async_log_entry(
            hass,
            call.data["name"],
            call.data["message"],
            call.data.get("domain"),
            call.data.get("entity_id"),
            call.context,
        )

    hass.services.async_register("logbook", "log", log, schema=logbook.LOG_MESSAGE_SCHEMA)


def local(text: str) -> datetime:
    """Return a moment from local time: `2026-10-25 02:30`; the first of two."""
    moment = dt_util.parse_datetime(text)
    assert moment is not None
    return moment.replace(tzinfo=dt_util.get_default_time_zone())


async def inputs_of(hass: HomeAssistant, blueprint: str) -> Mapping[str, Any]:
    """Return a blueprint's inputs, by name, as Home Assistant's own validator reads them."""
    found = await async_get_blueprints(hass).async_get_blueprint(f"carbon_meter/{blueprint}.yaml")
    return found.inputs


def names() -> Sequence[str]:
    """Return the names of the blueprints, without `.yaml`."""
    return sorted(path.stem for path in BLUEPRINTS.glob("*.yaml"))
