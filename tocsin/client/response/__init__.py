"""What the client asks of incidents and all that answers them, and the shapes of the answers."""
