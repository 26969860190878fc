from django_sync import sync

from . import api

sync.register("wide", api.WideViewSet)
sync.register("branches", api.BranchViewSet)
sync.register("topics", api.TopicViewSet)
sync.register("articles", api.ArticleViewSet)
sync.register("regions", api.RegionViewSet)
sync.register("sites", api.SiteViewSet)
sync.register("devices", api.DeviceViewSet)
sync.register("readings", api.ReadingViewSet)
