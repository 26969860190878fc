"""The people of the integration tests."""

from tests.integration.conftest import people

__all__ = ["people"]
