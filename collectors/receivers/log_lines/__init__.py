"""Lines of JSON, or of text, as any program writes them: ``POST /api/v1/logs``."""
