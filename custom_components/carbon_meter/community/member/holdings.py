"""What a membership holds: its state, and the box of each of its ids."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..authority.errors import AuthorityError
from ..authority.files import make_folder
from ..contract.message import Footprint
from . import state as kept
from .box import Box, remove_folder
from .errors import MemberError
from .identities import Identity, telling
from .mqtt import Run
from .state import State


class Holdings:
    """Changes are on the disk before they count; files are touched off the event loop."""

    def __init__(
        self, folder: Path, state: State, now: Callable[[], float], run: Run = asyncio.to_thread
    ) -> None:
        """Take over a membership that was loaded."""
        self.folder: Final = folder
        self.now: Final = now
        self.run: Final = run
        self._state = state
        self._boxes: dict[str, Box] = {}
        self._changing = asyncio.Lock()
        self._opening = asyncio.Lock()

    @property
    def state(self) -> State:
        """Return the membership as it is on the disk."""
        return self._state

    @property
    def is_member(self) -> bool:
        """Return whether anything may be told."""
        return self._state.withdrawn_at is None

    def identity(self, home: str) -> Identity | None:
        """Return an id of this home."""
        return self._state.identity(home)

    async def update(self, change: Callable[[State], State]) -> State:
        """Change the membership, one change after the other; raises MemberError."""
        async with self._changing:
            state = change(self._state)
            if state != self._state:
                await self.run(kept.save, self.folder, state)
                self._state = state
            return state

    async def box(self, home: str) -> Box:
        """Return the box of an id; raises OutboxError or MemberError if it cannot be opened."""
        async with self._opening:
            if home not in self._boxes:
                self._boxes[home] = await self.run(self._opened, home)
            return self._boxes[home]

    async def boxes(self) -> list[tuple[Identity, Box]]:
        """Return the ids that still have one."""
        return [
            (identity, await self.box(identity.home))
            for identity in self._state.identities
            if not identity.is_gone
        ]

    async def discard(self, home: str) -> None:
        """Remove all files of an id, its key among them; raises MemberError."""
        async with self._opening:
            box = self._boxes.pop(home, None)
            if box is not None:
                await self.run(box.close)
            await self.run(remove_folder, self.folder / home)

    async def retire(self, home: str) -> int:
        """Keep nothing of an id but its secret; return how many periods it had yet to tell.

        They are counted as lost with it. Raises OutboxError or MemberError.
        """
        box = await self.box(home)
        untold: int = await self.run(box.untold)
        dropped = (await self.run(box.outbox.status)).dropped

        def change(state: State) -> State:
            identity = state.identity(home)
            if identity is None or identity.is_gone:
                return state
            gone = state.with_identity(replace(identity, is_gone=True))
            return replace(gone, lost=state.lost + untold + dropped)

        await self.update(change)
        await self.discard(home)
        return untold

    async def close(self) -> None:
        """Close all files."""
        async with self._opening:
            for box in self._boxes.values():
                await self.run(box.close)
            self._boxes.clear()

    def may_leave(self, footprint: Footprint) -> bool:
        """Return whether a footprint may leave the home now."""
        identity = telling(self._state.identities, footprint.start, footprint.duration)
        return (
            self.is_member
            and identity is not None
            and identity.home == footprint.home
            and footprint.community == self._state.community
            and self._state.agreed_for(footprint.start).covers(footprint)
        )

    def _opened(self, home: str) -> Box:
        """Return the opened box of an id."""
        folder = self.folder / home
        try:
            make_folder(folder)
        except AuthorityError as err:
            raise MemberError(str(err)) from err
        return Box(folder, self.now())

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a blocking function returns."""
        return await self.run(function, *arguments)
