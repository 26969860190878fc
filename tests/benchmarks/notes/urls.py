from django.urls import include, path
from rest_framework.routers import SimpleRouter

from . import api

router = SimpleRouter()
router.register("plain", api.PlainViewSet, basename="plain")
router.register("plain-items", api.PlainItemViewSet, basename="plain-items")

urlpatterns = [
    path("sync/", include("django_sync.http.urls")),
    path("by-hand/", api.ByHand.as_view()),
    path("in-database/", api.InDatabase.as_view()),
    path("empty/", api.Empty.as_view()),
    *router.urls,
]
