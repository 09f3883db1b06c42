from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streaming", "0017_worker_model_trouble"),
    ]

    operations = [
        migrations.AlterField(
            model_name="limit",
            name="whose",
            field=models.CharField(
                choices=[
                    ("users", "each signed-in user"),
                    ("member", "each member of a group"),
                    ("user", "one user"),
                    ("visitor", "each anonymous visitor"),
                    ("at_address", "the anonymous visitors of each network address together"),
                    ("address", "each network address"),
                    ("together", "a group’s members together"),
                    ("anonymous", "all anonymous visitors together"),
                    ("all", "everybody together"),
                ],
                max_length=10,
                verbose_name="applies to",
            ),
        ),
    ]
