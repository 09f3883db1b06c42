from django.db import migrations, models


class Migration(migrations.Migration):
    """New names in Python. The table and the columns keep theirs: while an update rolls out,
    processes of both versions use them."""

    dependencies = [
        ("streaming", "0006_usage_is_estimated"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("CancelWish", "CancelIntent"),
                migrations.AlterModelTable("cancelintent", "streaming_cancelwish"),
                migrations.RenameField("stream", "cancel_wish", "cancel_intent"),
                migrations.AlterField(
                    model_name="stream",
                    name="cancel_intent",
                    field=models.CharField(
                        blank=True, db_column="cancel_wish", default="", max_length=10
                    ),
                ),
            ],
        ),
    ]
