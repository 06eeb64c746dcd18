"""DL/T 645-2007: electricity meters on RS-485, through a serial gateway with a TCP port.

The PyPI package dlt645 3.2.0 was measured and is not used here, only in the tests as an
independent peer: its import takes 300 MB and more than a second, each client copies
20 000 entries on the event loop, the not-available code FF FF is read as a number, an answer is
not held against its question, every error is the same None, and follow-up frames, data blocks
and the search by wildcard addresses are missing.
"""
