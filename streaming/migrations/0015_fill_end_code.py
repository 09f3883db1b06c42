"""Fill `code` in the rows of streams that ended before it existed.

In small batches, each in its own transaction: the processes of the version before keep writing.
What those end meanwhile stays without a code: the list shows its status.
"""

from django.db import migrations
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

BATCH_ROWS = 1_000


def fill_codes(apps, schema_editor):
    rows = apps.get_model("streaming", "Stream").objects.using(schema_editor.connection.alias)
    said = [KeyTextTransform(name, "terminal") for name in ("finish_reason", "code", "by")]
    last = ""
    while True:
        batch = rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
        ids = list(batch[:BATCH_ROWS])
        if not ids:
            return
        ended = rows.filter(pk__in=ids, code__isnull=True, ended_at__isnull=False)
        ended.update(code=Coalesce(*said))
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("streaming", "0014_end_code")]

    operations = [migrations.RunPython(fill_codes, migrations.RunPython.noop)]
