from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streaming", "0007_cancel_intents"),
    ]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="continues",
            field=models.CharField(
                blank=True,
                help_text="The stream whose answer it continues; it may have been deleted since.",
                max_length=22,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="stream",
            name="earlier",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="What it continues (blocks/continuation.py), until it has ended.",
                null=True,
            ),
        ),
    ]
