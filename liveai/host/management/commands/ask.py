"""`manage.py ask` of a host: the project's own command."""

from liveai.management.commands.ask import Command as Command
