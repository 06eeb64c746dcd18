"""Forecasts of carbon intensity from nothing but its own past, beside persistence."""
