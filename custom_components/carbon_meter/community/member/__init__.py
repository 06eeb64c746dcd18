"""A home as a member of a community: what it tells, how it gets there, how it leaves."""
