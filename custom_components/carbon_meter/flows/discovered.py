"""The steps that begin with something that has been discovered."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.mqtt import MqttServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType

from ..const import CONF_DRIVER, DEFAULT_PORT, LOGGER
from ..discovery.addresses import async_move, configured_meters, meters_with_mac
from ..discovery.elsewhere import not_adopted, readers
from ..discovery.found import FoundMeter, distinct, found_meters, new_meters
from ..discovery.knock import Place, accepts
from ..discovery.services import service_of
from ..drivers.modbus import ModbusDriver
from ..libraries import async_get_libraries
from .meter_form import label
from .meter_steps import Input
from .search import SearchSteps


class DiscoveredSteps(SearchSteps, ConfigFlow):
    """From a device that has announced itself to its meters.

    A configured meter that proves to be at the discovered address is moved there. What is
    new is offered in one flow for each device, with all of its meters.
    """

    _places: Sequence[Place] = ()
    _asked_host = ""
    _protocol = ModbusDriver.key

    @override
    def is_matching(self, other_flow: Any) -> bool:
        """Return whether another flow is about the same device."""
        return bool(self._asked_host) and self._asked_host == other_flow._asked_host  # noqa: SLF001  # a flow of this class

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up a service that a device announces."""
        service = service_of(discovery_info)
        if service is None:
            return self.async_abort(reason="not_a_meter")
        if service.kind.needs_certificate:
            LOGGER.debug(
                "%s at %s is read by %s, with a certificate that only its utility gives",
                discovery_info.name,
                discovery_info.host,
                service.kind.name,
            )
            return self.async_abort(reason="needs_certificate")
        # A device with several addresses may be read at any of them, or by its name.
        names = [*discovery_info.addresses, discovery_info.hostname.rstrip(".").lower()]
        if any(meter.answers for name in names for meter in configured_meters(self.hass, name)):
            return self.async_abort(reason="already_configured")
        return await self._async_host(service.places, service.kind.protocol)

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Take up a host that has got an address: an old one moved, or one of a meter maker."""
        host = discovery_info.ip
        if known := meters_with_mac(self.hass, discovery_info.macaddress):
            moved = await async_move(self.hass, known, host, by_mac=True)
            return self.async_abort(reason="address_updated" if moved else "already_configured")
        libraries = await async_get_libraries(self.hass)
        ports = libraries.drivers[ModbusDriver.key].ports
        return await self._async_host(
            [(host, port) for port in ports if await accepts(host, port)], ModbusDriver.key
        )

    @override
    async def async_step_integration_discovery(
        self, discovery_info: DiscoveryInfoType
    ) -> ConfigFlowResult:
        """Take up a host and a port, and the key of a driver, that a plugin has found."""
        return await self._async_host(
            [(discovery_info[CONF_HOST], discovery_info.get(CONF_PORT, DEFAULT_PORT))],
            discovery_info.get(CONF_DRIVER, ModbusDriver.key),
        )

    @override
    async def async_step_mqtt(self, discovery_info: MqttServiceInfo) -> ConfigFlowResult:
        """Take up a meter that has sent a message to the home's broker."""
        libraries = await async_get_libraries(self.hass)
        payload = discovery_info.payload
        message = payload.encode() if isinstance(payload, str) else bytes(payload)
        for driver in libraries.drivers.values():
            finds = await driver.async_recognise(
                self.hass, discovery_info.topic, message, libraries.profiles
            )
            if finds:
                return await self._async_offer(distinct(found_meters(driver, finds)))
        return self.async_abort(reason="not_a_meter")

    async def _async_host(self, places: Sequence[Place], protocol: str) -> ConfigFlowResult:
        """Ask a host on some ports, unless it is being asked or read already."""
        libraries = await async_get_libraries(self.hass)
        if not places or protocol not in libraries.drivers:
            return self.async_abort(reason="not_a_meter")
        self._places = places
        self._protocol = protocol
        self._asked_host = places[0][0]
        if self.hass.config_entries.flow.async_has_matching_flow(self):
            return self.async_abort(reason="already_in_progress")
        # A host that is being read is left in peace: its meters may take one client only.
        if any(meter.answers for meter in configured_meters(self.hass, self._asked_host)):
            return self.async_abort(reason="already_configured")
        meters = await self._async_ask()
        if not meters:
            return self.async_abort(reason="not_a_meter")
        known = [
            configured
            for configured in configured_meters(self.hass)
            if configured.subentry.unique_id in {meter.unique_id for meter in meters}
            and not (configured.has_name and configured.answers)
        ]
        if known and await async_move(self.hass, known, self._asked_host):
            return self.async_abort(reason="address_updated")
        return await self._async_offer(meters)

    async def _async_ask(self) -> list[FoundMeter]:
        """Return the meters at the discovered places, each once."""
        libraries = await async_get_libraries(self.hass)
        driver = libraries.drivers[self._protocol]
        meters: list[FoundMeter] = []
        for host, port in self._places:
            finds = await driver.async_search(
                self.hass,
                host,
                port,
                libraries.profiles,
                every_unit=False,
                progress=lambda _part: None,
            )
            meters += found_meters(driver, finds)
        return distinct(meters)

    async def _async_hear(self) -> list[FoundMeter]:
        """Return the meters that have announced themselves, with what they say now."""
        heard: list[FoundMeter] = []
        for meter in self._found:
            best = await meter.driver.async_first_reading(self.hass, meter.best)
            heard.append(replace(meter, candidates=(best,), companions=(best,)))
        return heard

    async def _async_offer(self, meters: list[FoundMeter]) -> ConfigFlowResult:
        """Offer what no site has yet, once, unless the user ignores it."""
        libraries = await async_get_libraries(self.hass)
        self._found = not_adopted(self.hass, new_meters(self.hass, libraries.drivers, meters))
        if not self._found:
            return self.async_abort(reason="already_configured")
        first = self._found[0]
        await self.async_set_unique_id(first.unique_id)
        self._abort_if_unique_id_configured()
        more = f" + {len(self._found) - 1}" if len(self._found) > 1 else ""
        self.context["title_placeholders"] = {"name": f"{first.best.name}{more} ({first.place})"}
        return await self.async_step_discovered()

    async def async_step_discovered(self, user_input: Input = None) -> ConfigFlowResult:
        """Tell what has been discovered; once the user wants it, it is asked for its values."""
        if user_input is not None:
            libraries = await async_get_libraries(self.hass)
            meters = await (self._async_ask() if self._places else self._async_hear())
            self._found = new_meters(self.hass, libraries.drivers, meters)
            if not self._found:
                return self.async_abort(reason="not_there_any_more")
            if len(self._found) > 1:
                return await self._as_result(self.async_step_pick())
            self._chosen = self._found
            return await self._as_result(self._async_chosen())
        elsewhere = readers(self.hass, self._found)
        return self.async_show_form(
            step_id="discovered_elsewhere" if elsewhere else "discovered",
            description_placeholders={
                "meters": "\n".join(
                    f"- {label(meter.best)} @ {meter.place}" for meter in self._found
                ),
                "readers": ", ".join(sorted(set(elsewhere.values()))) or "-",
            },
        )

    async def async_step_discovered_elsewhere(self, user_input: Input = None) -> ConfigFlowResult:
        """Tell of a discovered meter that another integration reads already."""
        return await self.async_step_discovered(user_input)

    @staticmethod
    async def _as_result(step: Any) -> ConfigFlowResult:
        """Return the result of a step that several kinds of flow share."""
        result: ConfigFlowResult = await step
        return result
