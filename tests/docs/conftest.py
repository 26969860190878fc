"""The example's people and cards, for pages that are about them."""

from tests.integration.conftest import boards, card, people, phone, processes, transactional_db

__all__ = ["boards", "card", "people", "phone", "processes", "transactional_db"]
