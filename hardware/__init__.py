"""Floor 1: nodes for meters without a network, and meters that exist in software only."""
