"""``check --database`` tells of triggers that are gone, and does not stand in migrate's way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from django_sync import checks
from django_sync.capture import install, uninstall

pytestmark = pytest.mark.django_db(transaction=True)


ROOT = Path(__file__).resolve().parents[2]


def test_w006_a_database_without_triggers_is_noticed_and_install_mends_it():
    call_command("check", databases=["default"], fail_level="WARNING")
    uninstall()
    try:
        assert {m.id for m in checks.check_capture(databases=["default"])} == {"django_sync.W006"}
        assert checks.check_capture(databases=None) == []
        call_command("check", databases=["default"])  # an error would stop migrate, the remedy
        with pytest.raises(CommandError, match=r"W006"):
            call_command("check", databases=["default"], fail_level="WARNING")
    finally:
        install()
    call_command("check", databases=["default"], fail_level="WARNING")


@pytest.mark.sqlite
def test_migrate_from_the_command_line_passes_its_checks_on_an_empty_database(tmp_path):
    # By a process of its own: call_command leaves the checks out.
    migrate = [sys.executable, str(ROOT / "example_project/manage.py"), "migrate"]
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    env["DJANGO_SETTINGS_MODULE"] = "example_project.settings"

    first, again = (
        subprocess.run(migrate, env=env, capture_output=True, text=True, check=False)
        for _ in range(2)
    )

    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert "W006" not in first.stderr + again.stderr
