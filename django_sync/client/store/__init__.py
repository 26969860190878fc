"""The client's store: one SQLite file with records, outbox, results and indexes."""
