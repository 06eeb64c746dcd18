"""One energy meter among those that a listener hears."""

from collections.abc import Callable

from ..readings import Reading
from .listener import SpeedwireListener
from .profile import SpeedwireProfile
from .telegram import SpeedwireMessage


class SpeedwireMeter:
    """A meter that speaks by itself, about once a second."""

    def __init__(
        self,
        profile: SpeedwireProfile,
        serial: int,
        listener: SpeedwireListener,
        *,
        susy_id: int | None = None,
    ) -> None:
        """Take the meter's serial number; `susy_id` tells it from another device with the same."""
        self.profile = profile
        self.serial = serial
        self._susy_id = susy_id
        self._listener = listener

    def listen(self, heard: Callable[[Reading], None]) -> Callable[[], None]:
        """Have every reading of the meter told from now on; return how to end it.

        Readings have the time of the listener's clock. They come only while the listener
        is open; a meter that falls silent is not told about.
        """

        def take(message: SpeedwireMessage) -> None:
            if message.serial == self.serial and self._susy_id in (None, message.susy_id):
                heard(self.profile.decode(message))

        return self._listener.listen(take)
