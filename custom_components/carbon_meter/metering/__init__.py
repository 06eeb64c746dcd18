"""Acquisition: meters are identified, read and judged.

Nothing here knows Home Assistant. A Modbus unit and a clock are handed in; a
`Reading` comes out.
"""
