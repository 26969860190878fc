"""Where things are: the page, signing in and out, the admin, the protocol."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from .boards.views import board_page

urlpatterns = [
    path("", board_page, name="boards"),
    path("login/", LoginView.as_view(template_name="boards/login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("sync/", include("django_sync.http.urls")),
]
