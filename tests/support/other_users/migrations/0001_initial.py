"""Creates the tables of both models; only one of them is the user model at a time."""

import uuid
from typing import Any

import django.contrib.auth.models
import django.utils.timezone
from django.db import migrations, models

import tests.support.other_users.models


def user_fields(key: Any) -> list[Any]:
    many: Any = {"blank": True, "related_name": "+"}
    return [
        ("id", key),
        ("password", models.CharField(max_length=128)),
        ("last_login", models.DateTimeField(blank=True, null=True)),
        ("is_superuser", models.BooleanField(default=False)),
        ("username", models.CharField(max_length=150, unique=True)),
        ("first_name", models.CharField(blank=True, max_length=150)),
        ("last_name", models.CharField(blank=True, max_length=150)),
        ("email", models.EmailField(blank=True, max_length=254)),
        ("is_staff", models.BooleanField(default=False)),
        ("is_active", models.BooleanField(default=True)),
        ("date_joined", models.DateTimeField(default=django.utils.timezone.now)),
        ("groups", models.ManyToManyField(to="auth.group", **many)),
        ("user_permissions", models.ManyToManyField(to="auth.permission", **many)),
    ]


class Migration(migrations.Migration):
    initial = True
    dependencies = [("auth", "0012_alter_user_first_name_max_length")]
    operations = [
        migrations.CreateModel(
            "UuidUser",
            user_fields(models.UUIDField(default=uuid.uuid4, primary_key=True)),
            options={"swappable": "AUTH_USER_MODEL"},
            managers=[("objects", django.contrib.auth.models.UserManager())],
        ),
        migrations.CreateModel(
            "TextUser",
            user_fields(
                models.CharField(
                    default=tests.support.other_users.models.new_text,
                    max_length=200,
                    primary_key=True,
                )
            ),
            options={"swappable": "AUTH_USER_MODEL"},
            managers=[("objects", django.contrib.auth.models.UserManager())],
        ),
    ]
