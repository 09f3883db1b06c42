from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("streaming", "0015_fill_end_code")]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="carrier",
            field=models.JSONField(
                blank=True,
                editable=False,
                help_text="Ids of its request, for log lines and traces (streaming/generating/spans.py).",
                null=True,
            ),
        ),
    ]
