"""What fires, what stayed silent and why, and how each stage of a way to people decided."""
