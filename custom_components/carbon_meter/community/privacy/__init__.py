"""What a community may show of its homes: never fewer than k, however cells are combined."""
