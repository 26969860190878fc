#!/usr/bin/env python
"""Django's commands for the example project."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Run one command, with the repository's root on the path in place of this folder."""
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
