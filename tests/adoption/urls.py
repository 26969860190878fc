"""django-todo needs none here."""

from django.urls import include, path

urlpatterns = [path("sync/", include("django_sync.http.urls"))]
