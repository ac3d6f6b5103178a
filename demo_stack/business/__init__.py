"""What the platform costs and whom it reaches."""
