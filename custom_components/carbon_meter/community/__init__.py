"""Communities: homes tell their footprints, a hub adds them up, nobody is exposed."""
