"""Sessions: what the server knows of a client, and what it decides for it."""
