"""Carbon emission flow: which carbon the energy at each place of a network carries."""
