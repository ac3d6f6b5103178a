"""Sign-in: short-lived JSON Web Tokens and the keys to verify them."""
