"""What is shown of the engine over HTTP: the state of its rules and its findings, as plain data."""
