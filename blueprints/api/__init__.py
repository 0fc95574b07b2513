"""The JSON API: one file per resource, and `problems` with the one error shape."""
