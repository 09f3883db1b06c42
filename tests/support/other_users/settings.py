"""The project's settings with the user model that `OTHER_USER` names."""

import os

from liveai.settings import *  # noqa: F403
from liveai.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.support.other_users"]
AUTH_USER_MODEL = f"other_users.{os.environ['OTHER_USER']}"
SIGN_UP = "open"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
