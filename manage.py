#!/usr/bin/env python
"""Django's command-line entry point."""

import sys


def main() -> None:
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from liveai.startup import load_settings

    load_settings()
    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:  # unreachable, read-only, or another password
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database can't be used: {error}\nDATABASE_URL sets its address.")


if __name__ == "__main__":
    main()
