"""Why something was refused, in the language of Home Assistant."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.translation import async_get_translations

from ..const import DOMAIN


async def async_reason(hass: HomeAssistant, err: HomeAssistantError) -> str:
    """Return what an error says; as a text it speaks English only."""
    texts = await async_get_translations(hass, hass.config.language, "exceptions", {DOMAIN})
    key = f"component.{err.translation_domain}.exceptions.{err.translation_key}.message"
    if (text := texts.get(key)) is None:
        return str(err)
    return text.format(**err.translation_placeholders or {})
