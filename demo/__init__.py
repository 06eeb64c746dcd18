"""A real Home Assistant on this machine, for demos, tests and benchmarks."""
