"""What can go wrong at a hub as a whole; a single bad message is refused instead."""


class StoreError(Exception):
    """The hub's files cannot be read or written now: nothing of the call may be acknowledged."""


class NotConnectedError(OSError):
    """There is no connection to the broker."""
