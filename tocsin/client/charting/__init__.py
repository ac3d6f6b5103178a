"""What charts ask beside their lines: what is usual of them, and files that keep them."""
