"""Loads that can move: what runs their planning in Home Assistant."""
