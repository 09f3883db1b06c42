"""A table for the versions of block types, and the first version of those that exist."""

import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


def add_first_versions(apps, schema_editor):
    now = timezone.now()
    version_model = apps.get_model("blocks", "HistoricalBlockType")
    database = schema_editor.connection.alias
    for row in apps.get_model("blocks", "BlockType").objects.using(database).values():
        version = version_model(
            **row, history_date=now, history_type="+", history_change_reason="first version"
        )
        version.save(using=database)


class Migration(migrations.Migration):
    dependencies = [
        ("blocks", "0005_wording"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalBlockType",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        auto_created=True, blank=True, db_index=True, verbose_name="ID"
                    ),
                ),
                (
                    "slug",
                    models.SlugField(
                        help_text="Used in addresses, e.g. <code>quiz</code>.", max_length=64
                    ),
                ),
                ("title", models.CharField(help_text="Display name.", max_length=120)),
                (
                    "description",
                    models.TextField(
                        blank=True,
                        help_text="What it does, in one sentence; shown below the title.",
                        max_length=500,
                    ),
                ),
                (
                    "order",
                    models.PositiveIntegerField(default=100, help_text="Lower numbers come first."),
                ),
                ("enabled", models.BooleanField(default=True, help_text="Off: nobody can use it.")),
                (
                    "output",
                    models.CharField(
                        choices=[
                            ("markdown", "Text (Markdown)"),
                            ("quiz", "Quiz"),
                            ("diagram", "Diagram"),
                            ("json", "JSON"),
                        ],
                        default="markdown",
                        help_text="The form of its answers.",
                        max_length=20,
                    ),
                ),
                (
                    "system_prompt",
                    models.TextField(
                        blank=True,
                        help_text="The model’s role and rules. $prompt and the names of options ($difficulty) are replaced by their values; write $$ for a dollar sign.",
                    ),
                ),
                (
                    "prompt_template",
                    models.TextField(
                        default="$prompt",
                        help_text="The question to the model, with the same placeholders; must contain $prompt.",
                    ),
                ),
                (
                    "example_prompt",
                    models.TextField(
                        blank=True,
                        help_text="A worked example helps small models a lot. This is the question…",
                    ),
                ),
                (
                    "example_answer",
                    models.TextField(
                        blank=True,
                        help_text="…and this is a good answer to it. Structured outputs need JSON.",
                    ),
                ),
                (
                    "options_schema",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='JSON Schema of the options that people can set, e.g. <code>{"properties": {"tone": {"type": "string", "enum": ["kind", "dry"], "default": "kind"}}}</code>. Each is a string, integer, number or boolean.',
                        verbose_name="options",
                    ),
                ),
                (
                    "answer_schema",
                    models.JSONField(
                        blank=True,
                        help_text="JSON Schema of the answer, an object; for the output “JSON” only.",
                        null=True,
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        blank=True,
                        help_text="KIND:NAME, e.g. <code>openai:gpt-5-mini</code>; blank: the project's AI_MODEL.",
                        max_length=200,
                    ),
                ),
                (
                    "temperature",
                    models.FloatField(
                        default=0.4,
                        validators=[
                            django.core.validators.MinValueValidator(0.0),
                            django.core.validators.MaxValueValidator(2.0),
                        ],
                    ),
                ),
                (
                    "max_tokens",
                    models.PositiveIntegerField(
                        default=800,
                        help_text="The longest answer, in tokens of the model.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(32768),
                        ],
                    ),
                ),
                (
                    "prompt_limit",
                    models.PositiveIntegerField(
                        default=4000,
                        help_text="The longest prompt, in characters.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(500000),
                        ],
                    ),
                ),
                (
                    "streaming",
                    models.BooleanField(
                        default=True, help_text="Off: answers appear only when finished."
                    ),
                ),
                (
                    "on_abandon",
                    models.CharField(
                        choices=[("continue", "Continue to the end"), ("cancel", "Stop")],
                        default="continue",
                        help_text="What happens after STREAM_ABANDON_SECONDS without viewers.",
                        max_length=10,
                    ),
                ),
                (
                    "on_generator_lost",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("continue", "Continue from the text so far"),
                            ("restart", "Start over"),
                            ("fail", "End with an error"),
                        ],
                        help_text="What happens if the process that generates the answer dies. Blank: text continues, structured answers start over.",
                        max_length=10,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(
                        choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a block type",
                "verbose_name_plural": "versions of block types",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunPython(add_first_versions, migrations.RunPython.noop),
    ]
