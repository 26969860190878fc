"""A project that none of us wrote, django-todo, is adopted; its code stays as it is."""
