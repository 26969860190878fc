"""Rows that processes of their own see, as in tests/integration."""

from tests.integration.conftest import boards, processes, transactional_db

__all__ = ["boards", "processes", "transactional_db"]
