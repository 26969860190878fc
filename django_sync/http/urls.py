"""``path("sync/", include("django_sync.http.urls"))``."""

from django.urls import path, re_path

from . import health, views

app_name = "django_sync"

urlpatterns = [
    path("", views.ServiceView.as_view(), name="service"),
    path("changes/", views.ChangesView.as_view(), name="changes"),
    path("live/changes/", views.LiveChangesView.as_view(), name="live-changes"),
    path("live/ws/", views.SocketView.as_view(), name="live-socket"),
    path("live/stream/", views.OpenView.as_view(), name="live-stream"),
    path("mutations/", views.MutationsView.as_view(), name="mutations"),
    re_path("^health/live/?$", health.LiveView.as_view(), name="health-live"),
    re_path("^health/ready/?$", health.ReadyView.as_view(), name="health-ready"),
    path("sessions/", views.SessionsView.as_view(), name="sessions"),
    path("sessions/<uuid:id>/", views.SessionView.as_view(), name="session"),
    path("<slug:collection>/", views.RecordsView.as_view(), name="records"),
    path("<slug:collection>/<uuid:id>/", views.RecordView.as_view(), name="record"),
    path(
        "<slug:collection>/<uuid:id>/history/",
        views.HistoryView.as_view(),
        name="history",
    ),
    re_path("", views.UnknownView.as_view(), name="unknown"),
]
