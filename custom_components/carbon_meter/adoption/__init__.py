"""Meters that Home Assistant already has: which entities make one, and what they say."""
