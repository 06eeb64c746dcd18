"""Deleting a home: everything that it has told goes, wherever it is kept."""

from ..contract.consent import Withdrawal
from .errors import StoreError
from .parts import Parts


def delete_home(parts: Parts, home: str, withdrawal: Withdrawal, now: float) -> None:
    """Delete all that was told under an id, and let it agree no more; raises StoreError.

    Messages that came before have to be in the ledger. Done again it deletes what is left.
    """
    parts.ledger.withdraw(home)
    parts.desk.withdrawn(home)
    _tell_withdrawn(parts, home)
    parts.backfill.forget(home)
    parts.admitted.discard(home)
    parts.books.forget(withdrawal, home, now)


def _tell_withdrawn(parts: Parts, home: str) -> None:
    """Let others delete what they hold of a home; if they cannot, it all comes again."""
    if parts.on_withdrawn is not None:
        try:
            parts.on_withdrawn(home)
        except Exception as err:
            raise StoreError(f"not all of a home is deleted: {type(err).__name__}") from err
