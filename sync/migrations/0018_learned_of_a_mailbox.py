from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0017_folders_that_cannot_be_read'),
    ]

    operations = [
        migrations.AddField(
            model_name='mailboxstate',
            name='learned',
            field=models.CharField(blank=True, db_default='', default='', help_text='What its source found out about it: see integrations.ports.Learner.', max_length=32),
        ),
    ]
