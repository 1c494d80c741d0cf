"""Each stored secret is bound to where its row sends it now."""

from django.db import migrations, models

from integrations import binding

BINDS = {
    "Integration": (binding.INTEGRATION_FIELDS, binding.places_of_integration),
    "Destination": (binding.DESTINATION_FIELDS, binding.places_of_destination),
}


def bind(apps, schema_editor):
    """No key is needed for it: nothing is opened."""
    for name, (fields, places_of) in BINDS.items():
        model = apps.get_model("integrations", name)
        for row in model.objects.all():
            places = places_of({field: getattr(row, field) for field in fields})
            found = {secret: place for secret, place in places.items() if getattr(row, secret)}
            model.objects.filter(pk=row.pk).update(bindings=found)


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0006_kinds"),
    ]

    operations = [
        migrations.AddField(
            model_name="destination",
            name="bindings",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where each secret may be sent: the place that it was entered for.",
            ),
        ),
        migrations.AddField(
            model_name="integration",
            name="bindings",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where each secret may be sent: the place that it was entered for.",
            ),
        ),
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]
