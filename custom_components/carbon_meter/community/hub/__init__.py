"""The hub of a community: who belongs to it, what homes tell it, and what it publishes."""
