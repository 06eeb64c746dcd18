"""Modbus: registers over TCP, directly, through a gateway or behind an inverter (SunSpec)."""
