"""Where things are: the pages, signing in and out, the admin, the protocol."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from .boards.views import SignIn, board_page, scriptless_page, second_user, service_worker

urlpatterns = [
    path("", board_page, name="boards"),
    path("as/<slug:name>/", second_user, name="second-user"),
    path("plain/", scriptless_page, name="plain"),
    path("service-worker.js", service_worker, name="service-worker"),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("sync/", include("django_sync.http.urls")),
]
