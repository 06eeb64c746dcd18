"""Simulating the alternatives of a site in Home Assistant: over its past or its forecast."""
