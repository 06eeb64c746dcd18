"""Meters that speak JSON: a page over HTTP, or topics of an MQTT broker."""
