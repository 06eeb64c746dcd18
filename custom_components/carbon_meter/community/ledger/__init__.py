"""The ledger of a community: footprints taken, kept and added up in whole numbers."""
