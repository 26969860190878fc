"""``check --database`` tells of triggers that are gone."""

import pytest
from django.core.management import CommandError, call_command

from django_sync import checks
from django_sync.capture import install, uninstall

pytestmark = pytest.mark.django_db(transaction=True)


def test_e009_a_database_without_triggers_is_noticed_and_install_mends_it():
    call_command("check", databases=["default"])
    uninstall()
    try:
        assert {m.id for m in checks.check_capture(databases=["default"])} == {"django_sync.E009"}
        assert checks.check_capture(databases=None) == []
        with pytest.raises(CommandError, match=r"E009"):
            call_command("check", databases=["default"])
    finally:
        install()
    call_command("check", databases=["default"])
