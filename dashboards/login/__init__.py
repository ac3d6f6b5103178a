"""Who looks at the pages: signing in with a token, and in whose name the pages then ask."""
