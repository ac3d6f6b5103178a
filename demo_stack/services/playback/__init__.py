"""Starting a stream: manifest, rendition ladder, origin of segments."""
