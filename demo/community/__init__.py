"""A community on this machine: a broker, a hub in a real Home Assistant, and simulated homes."""
