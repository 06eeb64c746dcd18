"""Providers that tell carbon intensities on the network: one file each, over shared care."""
