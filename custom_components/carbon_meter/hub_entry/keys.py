"""Names of what the entry of a hub keeps."""

from typing import Final

CONF_COMMUNITY: Final = "community"
"""The id of the community; it is in every topic and never changes."""

CONF_HUB_FILE: Final = "hub_file"
"""The hub file as it was given; kept in the entry only until its keys are in the hub's folder."""

CONF_OWN_BROKER: Final = "own_broker"
"""Whether the messages go through Home Assistant's own broker instead of the community's."""

CONF_TIME_ZONE: Final = "time_zone"
"""Whose days, months and years are added up: that of Home Assistant when the hub was made."""

CONF_COUNT: Final = "count"
CONF_DOMINANCE: Final = "dominance"
CONF_DURATION: Final = "duration"
CONF_FEEDER: Final = "feeder"
CONF_FILE: Final = "file"
CONF_FINEST: Final = "finest"
CONF_FLOWS: Final = "flows"
CONF_GROUPS: Final = "groups"
CONF_HOME: Final = "home"
CONF_STRIKE_OUT: Final = "strike_out"
"""Whether what a home has told goes with it when it is removed."""

CONF_K: Final = "k"
CONF_LEVEL: Final = "level"
CONF_RULES: Final = "rules"
CONF_TEXT: Final = "text"

OWN_RULES: Final = "own"
"""In place of a preset: k and dominance as the operator has set them."""

HUB_ISSUE: Final = "hub_"
"""What the repair issues of a hub begin with; then what is wrong, then the id of the entry."""
