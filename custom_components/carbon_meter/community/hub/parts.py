"""What processing works with: the community's state, and who decides about its homes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ..contract.certificates import Declined, Issued, SigningRequest
from ..ledger.database import LedgerError
from ..ledger.ledger import Ledger
from .backfill import Backfill
from .books import Books
from .counts import Counting
from .cutting import Cutting
from .desk import DeskError
from .errors import StoreError
from .limits import RESERVED, Budgets


class Reception(Protocol):
    """Who lets homes in and out, as far as their messages are about it."""

    def signing(self, request: SigningRequest, now: float) -> Issued | Declined:
        """Answer a home that asks for a certificate; raises DeskError for not now."""

    def heard(self, home: str, now: float) -> None:
        """Take note that a home speaks with its certificate; raises DeskError for not now."""

    def consented(self, home: str, now: float) -> bool:
        """Return whether a home that agrees is a member, an invited one from now on.

        Raises DeskError if that cannot be decided now.
        """

    def withdrawn(self, home: str) -> None:
        """Take note that a home has withdrawn; raises DeskError for not now."""

    def withdraw(self, home: str, now: float) -> None:
        """End all rights of a home of which nothing is left; raises DeskError for not now."""

    def turn(self, now: float) -> None:
        """Do what is due by the calendar; raises DeskError for not now."""


@dataclass(kw_only=True, slots=True)
class Parts:
    """What messages change."""

    ledger: Ledger
    books: Books
    desk: Reception
    backfill: Backfill
    budgets: Budgets
    reserved: Budgets = field(default_factory=lambda: Budgets(RESERVED))
    """By home and channel, for what must not be lost in a flood."""

    counting: Counting
    cutting: Cutting = field(default_factory=Cutting)
    """Told whose messages are dropped."""

    on_withdrawn: Callable[[str], None] | None = None
    """Told of each id whose data was deleted, before the home is."""

    heard: set[str] = field(default_factory=set)
    """Homes of which the desk knows that they speak."""

    admitted: set[str] = field(default_factory=set)
    """Homes of which the desk has said that they are members."""

    def take_back(self) -> None:
        """Drop what was noted of messages that are not on the disk."""
        self.books.revert()
        self.budgets.give_back()
        self.reserved.give_back()
        self.counting.drop()
        self.heard.clear()
        self.admitted.clear()


@contextmanager
def store_errors() -> Generator[None]:
    """Turn every error of a file into a StoreError."""
    try:
        yield
    except (LedgerError, DeskError, OSError, MemoryError) as err:
        raise StoreError(str(err)) from err
