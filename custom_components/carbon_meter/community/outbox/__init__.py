"""What a home has to tell its community, kept on disk until the hub has it."""
