"""What a household has agreed to show, and which of two agreements shows less."""

from dataclasses import dataclass

from ..authority.invitation import Invitation
from ..contract.message import Flow, Footprint, Level

DAY = 86400
"""Seconds of a day of UTC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreed:
    """The words that somebody agreed to, and what they let out of the home."""

    text: str
    """`id@version` of the words."""

    level: Level
    duration: int
    """Seconds: the period that is told; no shorter one is."""

    flows: tuple[Flow, ...]

    @classmethod
    def of(cls, invitation: Invitation, text: str) -> Agreed:
        """Return all that a community asks for, as agreed by that text."""
        return cls(
            text=text,
            level=invitation.level,
            duration=invitation.duration,
            flows=tuple(invitation.flows),
        )

    def covers(self, footprint: Footprint) -> bool:
        """Return whether a footprint shows no more than this."""
        return (
            (footprint.level is Level.PSEUDONYM or self.level is Level.CLEAR)
            and footprint.duration >= self.duration
            and {item.flow for item in footprint.items} <= set(self.flows)
        )

    def within(self, other: Agreed) -> bool:
        """Return whether all that this shows is shown by another, too."""
        return (
            (self.level is Level.PSEUDONYM or other.level is Level.CLEAR)
            and self.duration >= other.duration
            and set(self.flows) <= set(other.flows)
        )

    def narrowed(self, other: Agreed) -> Agreed:
        """Return what both let out, under the words of this one."""
        clear = self.level is other.level is Level.CLEAR
        return Agreed(
            text=self.text,
            level=Level.CLEAR if clear else Level.PSEUDONYM,
            duration=max(self.duration, other.duration),
            flows=tuple(flow for flow in self.flows if flow in other.flows),
        )
