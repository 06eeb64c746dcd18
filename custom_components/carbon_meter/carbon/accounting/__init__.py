"""Accounting: what the standards call scope 2, avoided, stages and intensities, kept apart."""
