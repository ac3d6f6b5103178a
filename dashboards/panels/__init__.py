"""Parts of pages: each draws one thing from data that the page already has."""
