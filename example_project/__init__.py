"""A Django project like anybody's, to try django_sync on."""
