"""The action `carbon_meter.install_blueprints`: the blueprints of the package, ready for use."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from homeassistant.const import SERVICE_RELOAD
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError
import probatio

from .blueprint_files import FOLDER, PACKAGED, Installed, Result, install
from .const import DOMAIN
from .refusals import failed

SERVICE_INSTALL_BLUEPRINTS: Final = "install_blueprints"

CONF_OVERWRITE: Final = "overwrite"

_AUTOMATION: Final = "automation"
_KEY: Final = f"{DOMAIN}.blueprints"
_VERSION: Final = 1

_SCHEMA: Final = probatio.Schema({probatio.Optional(CONF_OVERWRITE, default=False): cv.boolean})


@callback
def async_register_blueprints(hass: HomeAssistant) -> None:
    """Offer `carbon_meter.install_blueprints`."""
    store: Store[dict[str, Any]] = Store(hass, _VERSION, _KEY)

    async def install_blueprints(call: ServiceCall) -> ServiceResponse:
        """Install what is new, and tell what has become of each blueprint."""
        found = await _async_install(hass, store, overwrite=call.data[CONF_OVERWRITE])
        if any(each.result in {Result.INSTALLED, Result.UPDATED} for each in found):
            await _async_reload(hass)
        counts = Counter(each.result for each in found)
        return cast(
            "ServiceResponse",
            {
                "folder": str(FOLDER),
                "blueprints": [each.as_dict() for each in found],
                "counts": {result.value: counts[result] for result in Result},
            },
        )

    async_register_admin_service(
        hass,
        DOMAIN,
        SERVICE_INSTALL_BLUEPRINTS,
        install_blueprints,
        _SCHEMA,
        SupportsResponse.OPTIONAL,
    )


async def _async_install(
    hass: HomeAssistant, store: Store[dict[str, Any]], *, overwrite: bool
) -> list[Installed]:
    """Put the files in their place; raises HomeAssistantError where that cannot be."""
    kept = (await store.async_load() or {}).get("files", {})
    target = Path(hass.config.path(str(FOLDER)))
    try:
        found = await hass.async_add_executor_job(
            partial(install, PACKAGED, target, kept, overwrite=overwrite)
        )
    except (OSError, WriteError) as err:
        raise failed("blueprints_not_written", err, folder=str(FOLDER)) from err
    files = {each.file: each.digest for each in found if each.digest is not None}
    await store.async_save({"files": {**kept, **files}})
    return found


async def _async_reload(hass: HomeAssistant) -> None:
    """Let automations be read anew; it empties what is remembered of blueprints as well."""
    if hass.services.has_service(_AUTOMATION, SERVICE_RELOAD):
        await hass.services.async_call(_AUTOMATION, SERVICE_RELOAD, blocking=True)
