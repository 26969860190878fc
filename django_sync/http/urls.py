"""``path("sync/", include("django_sync.http.urls"))``."""

from django.urls import path, re_path

from ..protocol import paths
from . import health, views

app_name = "django_sync"

urlpatterns = [
    path("", views.ServiceView.as_view(), name="service"),
    path(paths.CHANGES, views.ChangesView.as_view(), name="changes"),
    path(paths.LIVE_CHANGES, views.LiveChangesView.as_view(), name="live-changes"),
    path(paths.SOCKET, views.SocketView.as_view(), name="live-socket"),
    path(paths.STREAM, views.OpenView.as_view(), name="live-stream"),
    path(paths.MUTATIONS, views.MutationsView.as_view(), name="mutations"),
    re_path(f"^{paths.HEALTH_LIVE}/?$", health.LiveView.as_view(), name="health-live"),
    re_path(f"^{paths.HEALTH_READY}/?$", health.ReadyView.as_view(), name="health-ready"),
    path(paths.SESSIONS, views.SessionsView.as_view(), name="sessions"),
    path(f"{paths.SESSIONS}<uuid:id>/", views.SessionView.as_view(), name="session"),
    path("<slug:collection>/", views.RecordsView.as_view(), name="records"),
    path("<slug:collection>/<uuid:id>/", views.RecordView.as_view(), name="record"),
    path(
        "<slug:collection>/<uuid:id>/history/",
        views.HistoryView.as_view(),
        name="history",
    ),
    re_path("", views.UnknownView.as_view(), name="unknown"),
]
