"""The platform in one process, without sockets or waiting: for tests, and for measuring."""
