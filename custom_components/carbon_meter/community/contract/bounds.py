"""How much one home can make a hub keep beside its energy: CM-49 to CM-51."""

from typing import Final

MOST_REVISIONS: Final = 100
"""Of one period: sixty of a running hour that is told every minute, and forty corrections."""

MOST_INTENSITIES: Final = 1000
"""Different `ci` of one home: a dozen tables with a new version each month, for seven years."""

MOST_SET_APART: Final = 100
"""Footprints of one home that contradict what is held: enough to find out why."""
