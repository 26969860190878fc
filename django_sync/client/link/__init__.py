"""The client's link to the server: its states, its loop, and what it exchanges."""
