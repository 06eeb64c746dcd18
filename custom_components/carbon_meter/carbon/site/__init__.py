"""One site: its meters together, weighed interval by interval, and the book that keeps it."""
