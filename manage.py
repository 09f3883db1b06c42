#!/usr/bin/env python
"""Django's command-line entry point."""

import sys


def main() -> None:
    from django.core.management import execute_from_command_line

    from liveai.startup import load_settings

    load_settings()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
