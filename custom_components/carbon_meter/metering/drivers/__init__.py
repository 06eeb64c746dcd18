"""Drivers: how to talk one protocol so that a profile's quantities get values."""
