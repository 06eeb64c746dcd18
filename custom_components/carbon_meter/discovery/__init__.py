"""Finding meters on the local network, and finding them again when their address changes."""
