"""Keys and certificates of a community: who signs, who is let in, and how a home is invited."""
