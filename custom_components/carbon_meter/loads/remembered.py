"""What a blueprint would have to remember, by entity, in a file of its own."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from ..const import DOMAIN, LOGGER

_VERSION: Final = 1


class Kept(Protocol):
    """Anything that is remembered of an entity."""

    def as_dict(self) -> dict[str, Any]:
        """Return what must survive a restart."""


class Remembered[Item: Kept]:
    """The content of one file, read when it is wanted first."""

    def __init__(
        self, hass: HomeAssistant, name: str, read: Callable[[Any], Item], unread: str
    ) -> None:
        """Name the file.

        `read` returns what `as_dict` gave, and raises KeyError, TypeError or ValueError for
        anything else: that is left out, and `unread` is logged with the entity.
        """
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.{name}", atomic_writes=True
        )
        self._read = read
        self._unread = unread
        self._items: dict[str, Item] | None = None

    @property
    def names(self) -> list[str]:
        """Return of which entities something is remembered, as far as the file was read."""
        return sorted(self._items or ())

    async def async_load(self) -> dict[str, Item]:
        """Return a copy of all of it."""
        if self._items is None:
            self._items = self._read_all(await self._store.async_load())
        return dict(self._items)

    async def async_save(self, items: Mapping[str, Item]) -> None:
        """Remember this instead; it is on the disk when this returns."""
        self._items = dict(items)
        await self._store.async_save({name: item.as_dict() for name, item in items.items()})

    def _read_all(self, stored: Any) -> dict[str, Item]:
        """Return what the file holds that can be read."""
        items: dict[str, Item] = {}
        for name, data in stored.items() if isinstance(stored, dict) else ():
            try:
                items[name] = self._read(data)
            except KeyError, TypeError, ValueError:
                LOGGER.warning(self._unread, name)
        return items
