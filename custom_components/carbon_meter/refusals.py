"""The error that tells the user of an action or an entity what to change."""

from homeassistant.exceptions import ServiceValidationError

from .const import DOMAIN


def refused(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error of a translated message."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )
