"""What a meter is missing to be read, told in a repair issue until it is there or not needed."""

from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigSubentry,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.loader import IntegrationNotFound, async_get_integration

from .const import (
    AUTH_ISSUE,
    CARRIER_ISSUE,
    CONF_DRIVER,
    CONF_PROFILE,
    CONTRACT_ISSUE,
    DOMAIN,
    NETWORK_ISSUE,
)
from .driver import MeterDriver
from .drivers.modbus import ModbusDriver
from .libraries import Libraries
from .metering.profile import Profile
from .repair_issue import RepairIssue

_ISSUE: Final = "unknown_profile_"
_OF_WHAT_IS_CONFIGURED: Final = (_ISSUE, AUTH_ISSUE, CARRIER_ISSUE, CONTRACT_ISSUE, NETWORK_ISSUE)


async def async_driver_and_profile(
    hass: HomeAssistant, subentry: ConfigSubentry, libraries: Libraries
) -> tuple[MeterDriver, Profile]:
    """Return what reads a configured meter.

    Raises ConfigEntryError naming the integration whose driver is missing, or the profile.
    """
    key: str = subentry.data.get(CONF_DRIVER, ModbusDriver.key)
    driver = libraries.drivers.get(key)
    if driver is None:
        # The key of a plugin's driver begins with the integration's domain.
        integration = await _async_title(hass, key.partition(".")[0])
        raise _told(hass, subentry, "unknown_driver", {"integration": integration})
    profile_id = subentry.data[CONF_PROFILE]
    profile = driver.profile(subentry.data, libraries.profiles)
    if profile is None:
        raise _told(hass, subentry, "unknown_profile", {"profile": profile_id})
    if profile.protocol not in {driver.key, *(form.protocol for form in driver.forms)}:
        # A file of the user's replaces one of the same id, of whatever protocol.
        placeholders = {"profile": profile_id, "protocol": driver.name}
        raise _told(hass, subentry, "other_protocol", placeholders)
    RepairIssue(hass, f"{_ISSUE}{subentry.subentry_id}").clear()
    return driver, profile


@callback
def async_watch_missing(hass: HomeAssistant) -> None:
    """Take back what was told of a meter as soon as it is configured no more.

    A site that could not be set up is not told of its changes: they are watched from outside.
    """

    @callback
    def changed(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain != DOMAIN:
            return
        configured = {
            configured_id
            for site in hass.config_entries.async_entries(DOMAIN)
            for configured_id in (site.entry_id, *site.subentries)
        }
        for domain, issue_id in list(ir.async_get(hass).issues):
            for prefix in _OF_WHAT_IS_CONFIGURED:
                about = issue_id.removeprefix(prefix)
                if domain == DOMAIN and about != issue_id and about not in configured:
                    ir.async_delete_issue(hass, DOMAIN, issue_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


async def _async_title(hass: HomeAssistant, domain: str) -> str:
    """Return what an integration is called, its domain where it is not installed."""
    try:
        return (await async_get_integration(hass, domain)).name
    except IntegrationNotFound:
        return domain


@callback
def _told(
    hass: HomeAssistant, subentry: ConfigSubentry, key: str, placeholders: dict[str, str]
) -> ConfigEntryError:
    """Raise the repair issue; return the error that says the same."""
    placeholders = {"meter": subentry.title, **placeholders}
    RepairIssue(hass, f"{_ISSUE}{subentry.subentry_id}").tell(key, placeholders)
    return ConfigEntryError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )
