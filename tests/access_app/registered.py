"""The ``sync.py`` of docs/howto/server/access.md. Under that name the whole suite would find it.

``tests/integration/test_access.py`` runs it for each of its tests.
"""

from django_sync import sync

from .api import (
    ArticleViewSet,
    BoardViewSet,
    CardViewSet,
    CommentViewSet,
    CustomerViewSet,
    DocumentViewSet,
    InvoiceViewSet,
    NoteViewSet,
    NoticeViewSet,
    ParagraphViewSet,
    ProductViewSet,
    ReviewViewSet,
    SharedCardViewSet,
)
from .models import Country

VIEWSETS = {
    "my-notes": NoteViewSet,
    "notices": NoticeViewSet,
    "documents": DocumentViewSet,
    "paragraphs": ParagraphViewSet,
    "shared-cards": SharedCardViewSet,
    "customers": CustomerViewSet,
    "invoices": InvoiceViewSet,
    "articles": ArticleViewSet,
    "products": ProductViewSet,
    "reviews": ReviewViewSet,
    "my-boards": BoardViewSet,
    "my-cards": CardViewSet,
    "my-comments": CommentViewSet,
}


def register_all() -> None:
    """Register what the page shows."""
    for name, viewset in VIEWSETS.items():
        sync.register(name, viewset)
    sync.register(Country, fields=["name", "code"], scope=None, name="countries")
