"""Measures the project beside its peers: every figure of both comes from one run."""
