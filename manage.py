#!/usr/bin/env python
"""Django's command-line entry point."""

import sys


def main() -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.db import OperationalError

    from liveai.startup import end, load_settings

    load_settings()

    from liveai.command_errors import Manager

    try:
        Manager(sys.argv).execute()
    except OperationalError as error:  # unreachable, read-only, or another password
        if "--traceback" in sys.argv:
            raise
        end(f"The database can't be used: {error}\nDATABASE_URL sets its address.")
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        end(f"The project is not configured rightly: {error}")


if __name__ == "__main__":
    main()
