"""Membership of a site in a community: Home Assistant's side of `community.member`."""
