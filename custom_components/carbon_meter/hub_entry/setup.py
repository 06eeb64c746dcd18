"""The life of a hub's entry: set up, unloaded, removed."""

from typing import Any, Final

from homeassistant.components import mqtt
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady

from ..community.authority.hub_file import HubFileError
from ..community.hub.errors import StoreError
from ..community.ledger.database import LedgerError
from ..const import DOMAIN
from ..membership.memberships import Memberships, async_remove_memberships, memberships_of
from .care import async_forget_issues
from .files import hub_folder, keep_hub_file, opened, remove
from .hub import Hub
from .invitation_files import community_folder
from .keys import CONF_COMMUNITY, CONF_HUB_FILE, CONF_OWN_BROKER
from .published_source import PublishedSource

HUB_PLATFORMS: Final = (Platform.BINARY_SENSOR, Platform.SENSOR)


async def async_setup_hub(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Open a hub and let it listen to its homes.

    Raises ConfigEntryNotReady when its files cannot be used. A broker that is not there hinders
    nobody from seeing what was published: the link goes on trying.
    """
    folder = hub_folder(hass, entry.entry_id)
    if entry.data[CONF_OWN_BROKER] and not await mqtt.async_wait_for_mqtt_client(hass):
        raise ConfigEntryNotReady(translation_domain=DOMAIN, translation_key="hub_no_mqtt")
    try:
        files = await hass.async_add_executor_job(
            opened, folder, dict(entry.data), entry.title, dict(entry.options)
        )
    except (StoreError, LedgerError, HubFileError, OSError, ValueError) as err:
        raise _unusable(entry, err) from err
    hub = Hub(hass, entry, files)
    entry.runtime_data = hub
    try:
        await hub.async_start()
        await Memberships(hass, entry, PublishedSource(hass, entry)).async_start()
        await hass.config_entries.async_forward_entry_setups(entry, HUB_PLATFORMS)
    except BaseException:
        await _async_stop(hass, entry, hub)
        raise
    return True


async def async_unload_hub(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Stop a hub; what it has taken is on the disk."""
    if not await hass.config_entries.async_unload_platforms(entry, HUB_PLATFORMS):
        return False
    await _async_stop(hass, entry, entry.runtime_data)
    return True


async def async_remove_hub(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Delete what a hub knew, keys and invitations; its record and its exports stay."""
    async_forget_issues(hass, entry.entry_id)
    folder = hub_folder(hass, entry.entry_id)
    invitations = community_folder(hass, entry.data[CONF_COMMUNITY]) / "invitations"
    await hass.async_add_executor_job(remove, folder)
    await hass.async_add_executor_job(remove, invitations)
    await async_remove_memberships(hass, entry)


async def async_keep_hub_file(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Move a hub file out of the entry: what holds keys is in the hub's own folder alone.

    Raises ConfigEntryNotReady where it cannot be written.
    """
    text = entry.data.get(CONF_HUB_FILE)
    if text is None:
        return
    try:
        await hass.async_add_executor_job(keep_hub_file, hub_folder(hass, entry.entry_id), text)
    except OSError as err:
        raise _unusable(entry, err) from err
    data = {key: value for key, value in entry.data.items() if key != CONF_HUB_FILE}
    hass.config_entries.async_update_entry(entry, data=data)


async def _async_stop(hass: HomeAssistant, entry: ConfigEntry[Any], hub: Hub) -> None:
    """Stop what tells the hub's own community, then the hub."""
    if (memberships := memberships_of(hass, entry)) is not None:
        await memberships.async_stop()
    await hub.async_close()


def _unusable(entry: ConfigEntry[Any], err: Exception) -> ConfigEntryNotReady:
    """Return the error of files that cannot be used."""
    return ConfigEntryNotReady(
        translation_domain=DOMAIN,
        translation_key="hub_unusable",
        translation_placeholders={"hub": entry.title, "error": str(err)},
    )
