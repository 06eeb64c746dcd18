"""The errors that tell the user of an action or an entity what to change, or what has failed."""

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN


def refused(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error of a translated message."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )


def failed(key: str, err: Exception, **placeholders: str) -> HomeAssistantError:
    """Return the error of a translated message that ends with what was heard."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={**placeholders, "error": str(err)},
    )
