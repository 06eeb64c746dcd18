"""The hub of a community as an entry of its own: what connects it with Home Assistant."""
