"""Processing: intensities, factors, supply mix and the ledger of carbon."""
