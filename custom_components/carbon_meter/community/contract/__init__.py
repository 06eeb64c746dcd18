"""What homes and their hub say to each other: messages, topics, numbered requirements."""
