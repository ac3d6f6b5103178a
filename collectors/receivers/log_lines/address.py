"""Where lines of logs are delivered; known without loading what takes them."""

PATH = "/api/v1/logs"
