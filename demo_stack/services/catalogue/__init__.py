"""What can be watched: titles and their descriptions."""
