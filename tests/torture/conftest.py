"""Rows that are committed, and processes that see them, as the integration tests have them."""

from tests.integration.conftest import processes, transactional_db

__all__ = ["processes", "transactional_db"]
