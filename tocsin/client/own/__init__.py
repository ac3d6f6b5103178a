"""What the client asks of tocsin about itself, and the shapes of the answers."""
