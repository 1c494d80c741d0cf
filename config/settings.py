"""All settings of the product, read once from environment variables.

The value of a setting can also be in a file: `SECRET_KEY_FILE=/run/secrets/key` names a file that contains the value of
`SECRET_KEY`. Each setting has a safe default, or a system check requires it (`integrations.checks`).

`config.settings_reference` generates docs/configuration.md from this file. The lines that begin with `#:` above a
setting are its description. A line `#: Default: ...` describes a default that the code computes.
"""

import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import environ
from whitenoise.compress import Compressor

from config.logs import logging_config
from config.version import VERSION
from conversion.limits import Limits

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()


def seconds(name: str, default: int) -> timedelta:
    """Read a setting in seconds.

    Args:
        name: Name of the environment variable.
        default: Default value in seconds.

    Returns:
        The duration.
    """
    return timedelta(seconds=env.float(name, default=default))


# ---- security -----------------------------------------------------------------------------------------------------
#: Django's secret key. It signs sessions and cookies.
#: Default: none; you must set it
SECRET_KEY = env("SECRET_KEY", default="")
#: Fernet keys for the encryption of stored secrets, separated by commas, the newest first. See [Replace the encryption
#: key](operations.md#replace-the-encryption-key).
#: Default: none; you must set it
ENCRYPTION_KEYS = [key.strip() for key in env.list("ENCRYPTION_KEYS", default=[]) if key.strip()]
#: Django's debug mode. For development only.
DEBUG = env.bool("DEBUG", default=False)
#: The host names and IP addresses by which browsers and clients reach the server. Requests to other hosts are rejected.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
#: Origins from which forms are accepted, for example `https://mail.example`. Required behind a proxy.
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

#: The bearer token for `/metrics`. If it is empty, only requests from the same machine are allowed: see
#: [monitoring.md](monitoring.md).
METRICS_TOKEN = env("METRICS_TOKEN", default="")

#: Send cookies over HTTPS only, redirect HTTP to HTTPS, and send the HSTS header.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
#: Trust the header `X-Forwarded-Proto`. Set this only if clients can reach the port only through the proxy: see
#: [web-server.md](web-server.md).
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# ---- storage ------------------------------------------------------------------------------------------------------
#: The folder for the SQLite database and the schedule file of Celery beat.
#: Default: `data` in the folder of the program
DATA_DIR = Path(env("DATA_DIR", default=str(BASE_DIR / "data")))
#: The database. In production: `postgres://user:password@host:5432/name`. Behind PgBouncer: use session pooling, and
#: set `ignore_startup_parameters = options` there.
#: Default: a SQLite database in `DATA_DIR`
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'reinfer-exchange.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # WAL mode: readers do not wait for writers. Immediate transactions: a transaction waits for the write lock at its
    # start. A deferred transaction would fail at its first write while another one has the lock.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE", timeout=30, init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    )
else:
    DATABASES["default"].update(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
    # With keepalives, the failure of the database machine or of the network is detected after about a minute instead of two
    # hours. The lock timeout limits how long a worker waits for a session that holds a lock and does not end. Options in
    # DATABASE_URL, such as ?connect_timeout=3, take precedence.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        "options": "-c lock_timeout=30s",
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
#: The Redis server that is the Celery broker. If it loses its data, no email is lost.
REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")

# ---- Django -------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "integrations",
    "mailboxes",
    "sync",
    "operations",
    "web",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "config.static_files.StaticFiles",
    "django.forms",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "access",
    "notifications",
]
MIDDLEWARE = [
    "web.probes.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "access.body_limits.BodyLimitMiddleware",
    "config.request_limit.RequestLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "access.middleware.AccessMiddleware",
    "access.time_zone.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "access.middleware.may",
            ]
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
AUTHENTICATION_BACKENDS = ["access.backend.LimitedBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
LANGUAGE_CODE = "en"
USE_I18N = False
#: The time zone in which a month begins for the monthly AI unit limits. Pages also use it until they know the time zone
#: of the browser.
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True
STATIC_URL = "static/"
#: The folder for the collected static files.
#: Default: `static` in `DATA_DIR`
STATIC_DIR = Path(env("STATIC_DIR", default=str(DATA_DIR / "static")))
# Collected static files are served compressed, under names that contain a hash of the content. Without collectstatic
# (in development and in the demo), whitenoise serves the files from their source folders.
COLLECTED = "collectstatic" in sys.argv or (STATIC_DIR.is_dir() and not DEBUG)
STATIC_ROOT = STATIC_DIR if COLLECTED else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Source maps are not compressed: only debuggers request them, and their compression would take longer than that of all
# other files together.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
LOGGING_CONFIG = None
#: The lowest level that is logged: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`.
LOG_LEVEL = env("LOG_LEVEL", default="INFO")
#: The format of the logs: `json` or `console`.
LOG_FORMAT = env("LOG_FORMAT", default="json")
logging_config(LOG_LEVEL, LOG_FORMAT)

# ---- the API ------------------------------------------------------------------------------------------------------
KNOX_TOKEN_MODEL = "access.ApiToken"  # noqa: S105  # the name of a model
# Knox's own table is not created, because `access.ApiToken` replaces it. The unused table would have a foreign key to
# users.
MIGRATION_MODULES = {"knox": None}
REST_KNOX = {"AUTH_HEADER_PREFIX": "Bearer", "AUTO_REFRESH": False}
#: The maximum size of a JSON body of a request to the API, in bytes. Without a valid token or session, the limit is at most
#: 64 KiB.
API_MOST_BYTES = env.int("API_MOST_BYTES", default=4 * 1024 * 1024)
# The limit for bodies that are read into memory: forms and API requests. The limits of the views are usually lower: see
# `access.body_limits`.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["api.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsing.BoundedJson"],
    "DEFAULT_PAGINATION_CLASS": "api.paging.Pages",
    "DEFAULT_SCHEMA_CLASS": "api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.PerToken"],
    #: The rate limit of each API token (of each user, if there is no token). Each web process counts separately.
    "DEFAULT_THROTTLE_RATES": {"token": env("API_RATE", default="600/min")},
    # The OpenAPI schema describes the API, so OPTIONS returns no metadata.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.problems.handle",
    # Only the header Accept selects the response format, not a query parameter.
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Re:infer Exchange Integration",
    "DESCRIPTION": "The REST API, with the same operations as the pages: see docs/api.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.schema.refuse_unknown_keys",
    ],
}

# ---- Celery -------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# If Redis refuses commands because it is full, or read-only after a failover, workers retry as if it were unreachable.
# Otherwise they would exit.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    # A web request that queues a task must not wait long while the broker is down.
    "max_retries": 1,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# The limit is much longer than a time slice and than any deadline. A task that hangs is killed, and another worker continues
# the sync.
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
#: The number of processes of one worker. Use 1 with SQLite.
CELERY_WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=4)
# A worker process is replaced after this number of tasks, or when it uses this much memory (in KiB), because XML parsing
# increases its memory over time.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "sync"
# The periodic tasks have a separate queue. Behind hundreds of queued syncs they would run too late.
CELERY_TASK_ROUTES = {
    "sync.tasks.dispatch": {"queue": "control"},
    "sync.tasks.prune": {"queue": "control"},
    "sync.tasks.watch": {"queue": "control"},
    "notices.tasks.deliver_due": {"queue": "control"},
}
#: The time between two queries for mailboxes that are due.
DISPATCH_EVERY = seconds("DISPATCH_EVERY", 5)
CELERY_BEAT_SCHEDULE = {
    # The tasks have no `expires`: beat would compute the time by its own clock, and a worker whose clock is ahead would
    # discard every task. Many old tasks after an outage are harmless: see `sync.tasks.dispatch`.
    "dispatch": {"task": "sync.tasks.dispatch", "schedule": DISPATCH_EVERY},
    #: The time between two queries for notifications that are due.
    "notices": {"task": "notices.tasks.deliver_due", "schedule": seconds("NOTICES_EVERY", 15)},
    "watch": {"task": "sync.tasks.watch", "schedule": timedelta(minutes=1)},
    "prune": {"task": "sync.tasks.prune", "schedule": timedelta(hours=1)},
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")

# ---- polling and syncing ------------------------------------------------------------------------------------------
#: The time between two syncs of a mailbox. An integration can override it. A mailbox that has had no new mail for seven days
#: is synced less often.
POLL_INTERVAL = seconds("POLL_INTERVAL", 60)
#: The shortest time between two syncs of a mailbox. Shorter poll intervals have no effect.
POLL_INTERVAL_LEAST = seconds("POLL_INTERVAL_LEAST", 15)
#: The length of a time slice. A sync that takes longer stops, is queued again and continues later, so that other
#: mailboxes get a worker.
SYNC_SLICE = seconds("SYNC_SLICE", 120)
#: The time after which the lease of a worker on a mailbox expires if the worker does not renew the lease. The value must be
#: more than twice `REINFER_DEADLINE`, and more than `EXCHANGE_DEADLINE`.
LEASE = seconds("LEASE", 180)
#: The time after which a queued sync task counts as lost. The mailbox is then queued again.
QUEUED_FOR = seconds("QUEUED_FOR", 300)
#: The time limit of one request to Exchange or Graph, including the response.
EXCHANGE_DEADLINE = seconds("EXCHANGE_DEADLINE", 120)
#: The time limit of one request to Re:infer, including the response.
REINFER_DEADLINE = seconds("REINFER_DEADLINE", 60)
#: The maximum number of changes that one request to Exchange or Graph lists.
PAGE_SIZE = env.int("PAGE_SIZE", default=512)
#: The maximum number of emails fetched in one batch.
FETCH_COUNT = env.int("FETCH_COUNT", default=50)
#: The maximum size of one batch of fetched emails, in bytes. A larger email is fetched alone.
FETCH_BYTES = env.int("FETCH_BYTES", default=8 * 1024 * 1024)
#: The maximum number of comments pushed in one request.
PUSH_COUNT = env.int("PUSH_COUNT", default=128)
#: The maximum size of one push request, in bytes. A larger comment is pushed alone.
PUSH_BYTES = env.int("PUSH_BYTES", default=4 * 1024 * 1024)
LIMITS = Limits(
    **{field.name: env.int(f"LIMIT_{field.name.upper()}", default=field.default) for field in fields(Limits)}
)
#: The CPU time that the conversion of one email may take. The wall-clock limit is ten times as long, but at most 5/6 of
#: `LEASE`. An email that takes longer becomes a failed email.
CONVERSION_DEADLINE = seconds("CONVERSION_DEADLINE", 20)
#: The time between two half-open trials while the circuit breaker of a connection is open because credentials or access
#: were refused.
HOLD_PROBE_EVERY = seconds("HOLD_PROBE_EVERY", 1200)
#: The period for the limit of refused sign-ins of an account: two in the first minute, then three in each period. Choose a
#: longer period than the period in which your directory counts failed sign-ins before it locks an account.
REFUSED_SIGN_INS_WITHIN = seconds("REFUSED_SIGN_INS_WITHIN", 3600)
#: How long Exchange or Re:infer must refuse access before the mailbox, or all mailboxes of the integration, destination or
#: bucket, are disabled.
DISABLE_AFTER = seconds("DISABLE_AFTER", 3 * 24 * 3600)
#: The number of days for which finished sync runs and resolved failed emails are stored. Sync runs that found nothing new
#: are stored for one day.
RUNS_KEPT = timedelta(days=env.float("RUNS_KEPT_DAYS", default=30))

# ---- notifications ------------------------------------------------------------------------------------------------
#: Allow webhook URLs in private networks and without TLS.
NOTICES_ALLOW_PRIVATE = env.bool("NOTICES_ALLOW_PRIVATE", default=False)
#: The email addresses that receive notifications of all kinds.
NOTICES_MAIL_TO = env.list("NOTICES_MAIL_TO", default=[])
#: The mail server for notifications.
vars().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
#: The sender address of notifications.
DEFAULT_FROM_EMAIL = env("MAIL_FROM", default="reinfer-exchange@localhost")
EMAIL_TIMEOUT = 10

#: The header `User-Agent` of all requests. An integration can override it.
#: Default: `reinfer-exchange/` and the version
USER_AGENT = env("USER_AGENT", default=f"reinfer-exchange/{VERSION}")
