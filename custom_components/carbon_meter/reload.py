"""The action that reads profiles and factors anew, without a restart."""

from homeassistant.const import SERVICE_RELOAD
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.helpers.service import async_register_admin_service

from .const import DOMAIN
from .libraries import async_renew_libraries


@callback
def async_register_reload(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.reload`, where Home Assistant offers it of other YAML files."""

    async def reload(_call: ServiceCall) -> None:
        """Read the files anew; a site whose meters are concerned is set up anew."""
        await async_renew_libraries(hass)

    async_register_admin_service(hass, DOMAIN, SERVICE_RELOAD, reload)
