from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0015_set_aside_at_the_deadline'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailboxstate',
            name='learned',
            field=models.CharField(blank=True, db_default='', default='', help_text='What its source found out about it: see integrations.ports.Learner.', max_length=32),
        ),
    ]
