"""Why the outbox cannot be used, in words that lead to what to do."""


class OutboxError(Exception):
    """The outbox cannot be read or written; what was put before is still there."""


class DamagedOutboxError(OutboxError):
    """The file is damaged: opening it again moves it aside and begins a new one."""
