"""What loads have to do as time passes: from what is seen of them to what is planned."""
