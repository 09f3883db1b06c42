from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streaming", "0005_workers"),
    ]

    operations = [
        migrations.AddField(
            model_name="stream",
            name="usage_is_estimated",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The provider did not say all of what it used.",
            ),
        ),
    ]
