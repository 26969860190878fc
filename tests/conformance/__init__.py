"""What others can hold against the protocol."""
