"""What the whole suite shares."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with a reason, what is about another database than the chosen one."""
    from django.db import connection

    for vendor in ("postgresql", "sqlite"):
        skip = pytest.mark.skip(
            reason=f"is about {vendor}; DATABASE_URL chose {connection.vendor} for this run"
        )
        for item in items:
            if vendor != connection.vendor and item.get_closest_marker(vendor):
                item.add_marker(skip)
