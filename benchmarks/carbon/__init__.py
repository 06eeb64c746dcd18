"""Benchmarks of processing: energy into carbon."""
