"""Starts Home Assistant as its own `hass` command does, without voice and cameras.

Home Assistant sets up every entity platform by default. Those in UNWANTED want ffmpeg and
libturbojpeg from the system, and packages that exist as source only and need a compiler. A home
that shows meters uses none of them.

The page in the browser asks for the actions of all integrations, and Home Assistant imports every
entity platform to describe them, UNWANTED ones too. STAND_INS takes the place of those packages
that the import wants and that need a compiler or a library of the system.

Run as a file (`python -P demo/launcher.py -c CONFIG --skip-pip`), never as a module: with the
checkout on the import path, Home Assistant would find the integration there a second time.
"""

import os
import sys
from types import ModuleType
from typing import Final

from homeassistant import __main__ as hass, bootstrap
from homeassistant.const import RESTART_EXIT_CODE

UNWANTED: Final = frozenset(
    {
        "ai_task",  # imports camera
        "assist_satellite",  # through assist_pipeline: pymicro-vad and pyspeex-noise, source only
        "camera",  # PyTurboJPEG, which loads the system's libturbojpeg
        "image_processing",  # camera
        "tts",  # runs the system's ffmpeg
    }
)


STAND_INS: Final = {
    "turbojpeg": ("TurboJPEG",),  # PyTurboJPEG, for camera
    "pymicro_vad": ("MicroVad",),  # pymicro-vad, for assist_pipeline
    "pyspeex_noise": ("AudioProcessor",),  # pyspeex-noise, for assist_pipeline
}
"""Modules, and the classes that are imported from them."""


def stand_in() -> None:
    """Put an empty module in the place of each that is not wanted."""
    for name, classes in STAND_INS.items():
        module = ModuleType(name)
        for cls in classes:
            setattr(module, cls, type(cls, (), {}))
        sys.modules[name] = module


def default_integrations() -> set[str]:
    """Name the integrations that Home Assistant sets up without being asked, but UNWANTED."""
    return bootstrap.DEFAULT_INTEGRATIONS - UNWANTED


def main() -> int:
    """Run Home Assistant with the arguments of `hass` until it stops.

    When it asks to be restarted, this process becomes the new one: its id stays.
    """
    bootstrap.DEFAULT_INTEGRATIONS.difference_update(UNWANTED)
    stand_in()
    exit_code = hass.main()
    if exit_code == RESTART_EXIT_CODE:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
