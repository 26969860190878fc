"""The example's people and cards, for pages that are about them."""

from tests.fixtures import other
from tests.integration.conftest import boards, card, people, phone, processes, transactional_db

__all__ = ["boards", "card", "other", "people", "phone", "processes", "transactional_db"]
