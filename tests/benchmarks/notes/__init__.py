"""The benches' application: records of one kind, with sync and without."""
