"""Many questions of one process in one request, for whoever asks the same ones again and again."""
