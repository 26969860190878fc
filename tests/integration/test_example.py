"""The example as it was before sync: its migrations, rows and admin."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from rest_framework.authtoken.models import Token

from example_project.boards.models import Board, Card, Comment, Label, Membership
from tests.forms import opened, with_values


@pytest.fixture
def demo(db: None) -> None:
    call_command("seed", verbosity=0)


def sign_in(client: Client, name: str) -> None:
    response = client.post("/login/", {"username": name, "password": f"{name}-demo"})
    assert response.status_code == 302


def migrate(*to: str) -> None:
    # The command and not the executor alone: signals before and after belong to it.
    call_command("migrate", *to, verbosity=0)


@pytest.fixture
def migrated_back(transactional_db: None) -> Iterator[None]:
    """The database at boards.0001; afterwards where it was, without rows."""
    migrate("boards", "0001_initial")
    yield
    migrate()
    call_command("flush", interactive=False, verbosity=0)


def test_migration_0002_brings_the_rows(migrated_back: None, settings: LazySettings) -> None:
    settings.BOARDS_DEMO_ROWS = True

    migrate("boards", "0002_demo_rows")

    state = MigrationExecutor(connection).loader.project_state(("boards", "0002_demo_rows"))
    board = state.apps.get_model("boards", "Board")
    assert {b.name: b.owner.username for b in board.objects.all()} == {
        "Launch": "ada",
        "Research": "grace",
        "Private": "alan",
    }
    assert board.objects.get(name="Launch").cards.count() == 5
    assert Token.objects.count() == 3
    assert "sync_id" not in {field.name for field in board._meta.fields}

    migrate()

    assert Board.objects.count() == 3
    assert Card.objects.get(title="Check pump 7").labels.count() == 2


@pytest.mark.django_db
def test_a_test_database_starts_without_rows() -> None:
    assert not Board.objects.exists()
    assert not User.objects.exists()


def test_seed_twice_is_seed_once(demo: None) -> None:
    def count() -> list[int]:
        models = (User, Token, Board, Membership, Label, Card, Comment)
        return [model.objects.count() for model in models]

    before = count()
    call_command("seed", verbosity=0)
    assert count() == before
    assert all(before)


def test_seed_gives_no_known_token_to_a_user_who_was_there(db: None) -> None:
    ada = User.objects.create_user("ada", password="her own")
    call_command("seed", verbosity=0)
    ada.refresh_from_db()
    assert ada.check_password("her own")
    assert not Token.objects.filter(user=ada).exists()


@pytest.mark.parametrize("model", ["board", "label", "card", "comment"])
def test_the_admin_loads(model: str, demo: None, client: Client) -> None:
    sign_in(client, "admin")
    assert client.get(f"/admin/boards/{model}/").status_code == 200
    assert client.get(f"/admin/boards/{model}/add/").status_code == 200
    pk = apps.get_model("boards", model)._default_manager.values_list("pk", flat=True)[0]
    assert client.get(f"/admin/boards/{model}/{pk}/change/").status_code == 200


def test_a_card_moved_in_the_admin_leaves_its_labels(demo: None, client: Client) -> None:
    sign_in(client, "admin")
    card = Card.objects.get(title="Check pump 7")
    url = f"/admin/boards/card/{card.pk}/change/"
    form = with_values(opened(client, url), board=Board.objects.get(name="Research").pk)
    assert form["labels"]

    response = client.post(url, form)

    assert response.status_code == 302
    card.refresh_from_db()
    assert card.board.name == "Research"
    assert not card.labels.exists()


def test_a_label_has_its_name_once_a_board(demo: None) -> None:
    board = Board.objects.get(name="Launch")
    with pytest.raises(IntegrityError), transaction.atomic():
        board.labels.create(name="urgent")
    Board.objects.get(name="Research").labels.create(name="urgent")


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.sqlite
@pytest.mark.django_db
def test_sqlite_runs_in_wal_mode() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


def test_a_label_stays_on_its_board(demo: None, client: Client) -> None:
    sign_in(client, "admin")
    label = Label.objects.get(name="urgent")
    url = f"/admin/boards/label/{label.pk}/change/"
    research = Board.objects.get(name="Research").pk
    form = with_values(opened(client, url), board=research, name="late", color="#cc0000")

    assert client.post(url, form).status_code == 302

    label.refresh_from_db()
    assert (label.name, label.board.name) == ("late", "Launch")
