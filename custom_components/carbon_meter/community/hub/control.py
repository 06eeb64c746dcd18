"""What a hub has its broker do for its homes: who may log in, and who no more."""

from typing import Protocol


class ControlError(Exception):
    """The broker cannot be told now; telling it again later does no harm."""


class Control(Protocol):
    """The rights of homes at a broker.

    Every method may be repeated, in any order, and only hands the command on: commands arrive
    in the order in which they were given, and before every message that is published later. It
    never waits for another thread. All raise ControlError if the command cannot be handed on.
    """

    def invited(self, home: str, token: str) -> None:
        """Let `invited.<home>` in by the token, to ask for a certificate and nothing else."""

    def enrolled(self, home: str) -> None:
        """Let the home in by its certificate, to speak for itself and for nobody else."""

    def settled(self, home: str) -> None:
        """Let nobody in by the token any more."""

    def gone(self, home: str) -> None:
        """Let the home in no more, neither by token nor by certificate."""

    def revoked(self, home: str) -> None:
        """The same, and have the broker remember it until the home is `gone`."""

    def withdrawn(self, home: str) -> None:
        """Have the broker remember for ever that all of a home was deleted; it stays let in."""


class NoControl:
    """The broker is that of Home Assistant, where its owner gives the rights."""

    def invited(self, home: str, token: str) -> None:
        """Do nothing."""

    def enrolled(self, home: str) -> None:
        """Do nothing."""

    def settled(self, home: str) -> None:
        """Do nothing."""

    def gone(self, home: str) -> None:
        """Do nothing."""

    def revoked(self, home: str) -> None:
        """Do nothing."""

    def withdrawn(self, home: str) -> None:
        """Do nothing."""
