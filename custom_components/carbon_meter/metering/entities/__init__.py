"""Meters that another integration reads: its values, made into counters that can be booked."""
