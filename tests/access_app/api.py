"""The viewsets of docs/howto/server/access.md: what stands on the page is copied from here."""

from django.db.models import Max, Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import permissions, serializers, viewsets

from django_sync.sync import SyncModelPermissions, SyncSerializerMixin, SyncViewSetMixin

from .models import (
    Article,
    Board,
    Card,
    Comment,
    Customer,
    Document,
    Employee,
    Invoice,
    Magazine,
    Membership,
    Note,
    Notice,
    Paragraph,
    Product,
    Review,
    SharedCard,
    Tenant,
)


# Ownership
class NoteSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Note
        fields = ["text"]


class NoteViewSet(SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Note.objects.all()
    serializer_class = NoteSerializer
    permission_classes = [permissions.IsAuthenticated]

    def get_scopes(self):
        return [self.request.user.pk]

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)


# Membership
class BoardSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Board
        fields = ["name"]


class CardSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Card
        fields = ["board", "title"]


class CommentSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Comment
        fields = ["card", "text"]


class BoardScoped(SyncViewSetMixin, viewsets.ModelViewSet):
    permission_classes = [permissions.IsAuthenticated]

    def get_scopes(self):
        return Board.objects.filter(members=self.request.user).values_list("sync_id", flat=True)

    def may_write_scope(self, scope):
        editing = Membership.objects.filter(user=self.request.user, role="editor")
        return editing.filter(board__sync_id=scope).exists()


class BoardViewSet(BoardScoped):
    queryset = Board.objects.all()
    serializer_class = BoardSerializer

    def perform_create(self, serializer):
        board = serializer.save()
        Membership.objects.create(board=board, user=self.request.user, role="editor")


class CardViewSet(BoardScoped):
    queryset = Card.objects.all()
    serializer_class = CardSerializer


class CommentViewSet(BoardScoped):
    queryset = Comment.objects.all()
    serializer_class = CommentSerializer


# Groups
class NoticeSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Notice
        fields = ["group", "text"]

    def get_fields(self):
        fields = super().get_fields()
        fields["group"].queryset = self.context["request"].user.groups.all()
        return fields


class NoticeViewSet(SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Notice.objects.all()
    serializer_class = NoticeSerializer
    permission_classes = [SyncModelPermissions]

    def get_scopes(self):
        return self.request.user.groups.values_list("pk", flat=True)

    def may_write_scope(self, scope):
        granted = self.request.user.groups.filter(
            pk=scope,
            permissions__codename="change_notice",
            permissions__content_type__app_label=Notice._meta.app_label,
        )
        return granted.exists()


# Single objects
class DocumentSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Document
        fields = ["title"]


class ParagraphSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Paragraph
        fields = ["document", "text"]


class DocumentScoped(SyncViewSetMixin, viewsets.ModelViewSet):
    permission_classes = [permissions.IsAuthenticated]

    def get_scopes(self):
        user = self.request.user
        mine = Document.objects.filter(Q(owner=user) | Q(shares__user=user))
        return mine.values_list("sync_id", flat=True)

    def may_write_scope(self, scope):
        user = self.request.user
        writing = Q(owner=user) | Q(shares__user=user, shares__may_write=True)
        return Document.objects.filter(writing, sync_id=scope).exists()


class OwnerDeletes(permissions.BasePermission):
    def has_object_permission(self, request, view, obj):
        return request.method != "DELETE" or obj.owner_id == request.user.pk


class DocumentViewSet(DocumentScoped):
    queryset = Document.objects.all()
    serializer_class = DocumentSerializer
    permission_classes = [permissions.IsAuthenticated, OwnerDeletes]

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)


class ParagraphViewSet(DocumentScoped):
    queryset = Paragraph.objects.all()
    serializer_class = ParagraphSerializer


# One object out of a larger scope
class SharedCardSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    title = serializers.CharField(source="card.title", read_only=True)

    class Meta:
        model = SharedCard
        fields = ["title"]


class SharedCardViewSet(SyncViewSetMixin, viewsets.ReadOnlyModelViewSet):
    queryset = SharedCard.objects.select_related("card")
    serializer_class = SharedCardSerializer
    permission_classes = [permissions.IsAuthenticated]

    def get_scopes(self):
        return [self.request.user.pk]


# Tenants
class TenantScoped(SyncViewSetMixin, viewsets.ModelViewSet):
    permission_classes = [permissions.IsAuthenticated]

    def get_scopes(self):
        return Employee.objects.filter(user=self.request.user).values_list("tenant", flat=True)

    def perform_create(self, serializer):
        serializer.save(tenant=get_object_or_404(Tenant, employee__user=self.request.user))


class CustomerSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Customer
        fields = ["name"]


class InvoiceSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Invoice
        fields = ["customer", "total"]


class CustomerViewSet(TenantScoped):
    queryset = Customer.objects.all()
    serializer_class = CustomerSerializer


class InvoiceViewSet(TenantScoped):
    queryset = Invoice.objects.all()
    serializer_class = InvoiceSerializer


# What records depend on
class ArticleSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Article
        fields = ["title", "publish_at"]


class ArticleViewSet(SyncViewSetMixin, viewsets.ReadOnlyModelViewSet):
    serializer_class = ArticleSerializer
    permission_classes = [permissions.IsAuthenticated]

    def get_scopes(self):
        return Magazine.objects.filter(readers=self.request.user).values_list("pk", flat=True)

    def get_queryset(self):
        return Article.objects.filter(publish_at__lte=timezone.now())

    def get_visibility_tag(self):
        return str(self.get_queryset().aggregate(newest=Max("publish_at"))["newest"])


class ProductSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    class Meta:
        model = Product
        fields = ["name", "price"]

    def get_fields(self):
        fields = super().get_fields()
        if not self.context["request"].user.is_staff:
            del fields["price"]
        return fields


class ProductViewSet(SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Product.objects.all()
    serializer_class = ProductSerializer
    permission_classes = [permissions.IsAuthenticated]


class ReviewSerializer(SyncSerializerMixin, serializers.ModelSerializer):
    author = serializers.SlugRelatedField(slug_field="username", read_only=True)

    class Meta:
        model = Review
        fields = ["product", "author", "text"]


class ReviewViewSet(SyncViewSetMixin, viewsets.ModelViewSet):
    queryset = Review.objects.select_related("author")
    serializer_class = ReviewSerializer
    permission_classes = [permissions.IsAuthenticated]

    def perform_create(self, serializer):
        serializer.save(author=self.request.user)
