"""Settings of the project; the one module that reads the environment.

Every value has a default that works on one machine; `.env.example` lists each with its unit.
A value that can't be right is a system check (`manage.py check`), not a crash in mid-request.
"""

import secrets
from pathlib import Path

import environ
from csp.constants import NONCE

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")  # what the environment already holds wins


def _secret_key() -> str:
    """The key from the environment, else one of this checkout's own, made once and kept private."""
    if key := env.str("DJANGO_SECRET_KEY", ""):
        return key
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(mode=0o700, exist_ok=True)
        # Two first starts may race: the hard link makes one of them the writer.
        draft = VAR_DIR / f"secret-key.{secrets.token_hex(4)}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


# --- Django -----------------------------------------------------------------
SECRET_KEY = _secret_key()
DEBUG = env.bool("DJANGO_DEBUG", False)
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("DJANGO_CSRF_TRUSTED_ORIGINS", default=[])
# `serve` hands these to uvicorn, for HTTP and WebSocket alike: Django's SECURE_PROXY_SSL_HEADER
# would leave the origin check of sockets behind TLS without the scheme.
TRUSTED_PROXIES = env.list("DJANGO_TRUSTED_PROXIES", default=["127.0.0.1", "::1"])

INSTALLED_APPS = [
    "daphne",  # first: gives `runserver` its ASGI server
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_vite",
    "blocks",
    "streaming",
    "frontend",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "liveai.static_files.WholeFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "liveai.urls"
ASGI_APPLICATION = "liveai.asgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

_SQLITE_OPTIONS = {
    # IMMEDIATE: a transaction that will write takes the lock at once, so that two of them wait
    # for each other instead of failing half-way; WAL: readers never wait for the writer.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = _SQLITE_OPTIONS
    # A file: tests use threads and real servers, which a shared in-memory database locks out.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # Who waits for a start is told within seconds that the database is away, also if its machine
    # has vanished without a word. All of libpq; seconds, but for the milliseconds of the second.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 2,
        "tcp_user_timeout": 5000,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 2,
        **DATABASES["default"].get("OPTIONS", {}),
    }
# Request threads are few and reused (see liveai/asgi.py), so their connections may be kept.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a missing one
WHITENOISE_USE_FINDERS = True  # serves the apps' files as they are: no collectstatic on one machine

# --- The pages, as Vite builds them -------------------------------------------
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
FRONTEND_FAILURE = VAR_DIR / "frontend-failure"  # why the last build failed, if it did; by scripts/
FRONTEND_DEV_SERVER = env.bool("FRONTEND_DEV_SERVER", False)
DJANGO_VITE = {
    "default": {
        "dev_mode": FRONTEND_DEV_SERVER,
        "manifest_path": FRONTEND_DIST / "manifest.json",
        "static_url_prefix": "ai",
    }
}
SILENCED_SYSTEM_CHECKS = ["django_vite.W001"]  # frontend.W001 says what to run
# A folder that is missing would be a warning of its own.
STATICFILES_DIRS = [("ai", FRONTEND_DIST)] if FRONTEND_DIST.is_dir() else []
# Vite's names hold a hash of the content already: such a file never changes.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/ai/assets/[^/]+-[\w-]{8}\.\w+(\.gz)?$"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("DJANGO_SECURE_COOKIES", False)
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes; liveai/asgi.py refuses larger bodies before Django

_DEV_SERVER = ["http://localhost:5173", "ws://localhost:5173"] if FRONTEND_DEV_SERVER else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'", *_DEV_SERVER],
        "script-src": ["'self'", NONCE, *_DEV_SERVER],
        "style-src": ["'self'", "'unsafe-inline'"],  # Mermaid's drawings are black without
        "img-src": ["'self'", "data:", *_DEV_SERVER],
        "font-src": ["'self'", *_DEV_SERVER],
        "connect-src": ["'self'", *_DEV_SERVER],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "liveai.log_lines.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("DJANGO_LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        # A line per provider call would name the upstream's address at INFO.
        "uvicorn": {"level": "WARNING"},  # a line per socket; `serve` says what matters
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "taskiq": {"level": "ERROR"},  # lines for each answer, and a warning when it is stopped
        # A traceback a second while Redis is away; streaming.memberships says it once.
        "channels_redis": {"level": "CRITICAL"},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["streaming.api.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["streaming.api.authentication.VisitorAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "streaming.api.negotiation.JSONAlways",
    "EXCEPTION_HANDLER": "streaming.api.problems.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is no switch here
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Live AI Blocks",
    "DESCRIPTION": "AI blocks whose answers arrive live, token by token. "
    "The events are described in specs/050-live-ai-interaction/.",
    "VERSION": "0.1.0",
    "LICENSE": {"name": "MIT"},
    "EXTERNAL_DOCS": {"description": "Licences of what this site serves", "url": "/licenses"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
}

# --- Channel layer: the session's control messages, never tokens ---------------
REDIS_URL = env.str("REDIS_URL", "")
REDIS_PREFIX = env.str("REDIS_PREFIX", "liveai")
CHANNEL_LAYERS = {
    "default": (
        {
            "BACKEND": "streaming.channel_layer.GuardedChannelLayer",
            "CONFIG": {
                "inner": {
                    "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                    "CONFIG": {
                        "hosts": [
                            {
                                "address": REDIS_URL,
                                # Seconds; below the limits of the guard, which is to see an error
                                # and not to cut a handshake in two.
                                "socket_connect_timeout": 1.0,
                                "socket_timeout": 1.0,
                                # With 3 redis-py does not look whether a connection that it kept is
                                # dead: after a restart the first message would go there.
                                "protocol": 2,
                            }
                        ],
                        "prefix": REDIS_PREFIX,
                    },
                }
            },
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}

# --- Streaming: the switches (defaults; the admin panel may set others) --------
AI_STREAMING_ENABLED = env.bool("AI_STREAMING_ENABLED", False)
STREAMING_BACKEND = env.str("STREAMING_BACKEND", "sse")
AI_STREAMING_FALLBACK = env.bool("AI_STREAMING_FALLBACK", True)
AI_STREAMING_RUNNER = env.str("AI_STREAMING_RUNNER", "inline")
AI_ALLOW_ANONYMOUS = env.bool("AI_ALLOW_ANONYMOUS", False)

# --- Streaming: limits (seconds unless named otherwise) ------------------------
STREAM_ABANDON_SECONDS = env.float("STREAM_ABANDON_SECONDS", 60.0)
STREAM_DRAIN_SECONDS = env.float("STREAM_DRAIN_SECONDS", 20.0)
STREAM_MAX_AGE_SECONDS = env.float("STREAM_MAX_AGE_SECONDS", 600.0)
STREAM_LOG_SECONDS = env.float("STREAM_LOG_SECONDS", 3600.0)
STREAM_MAX_EVENTS = env.int("STREAM_MAX_EVENTS", 100_000)
STREAM_MAX_RUNNING = env.int("STREAM_MAX_RUNNING", 200)
STREAM_DEADLINE_SECONDS = env.float("STREAM_DEADLINE_SECONDS", 600.0)

# --- Providers -------------------------------------------------------------------
AI_MODEL = env.str("AI_MODEL", "local:smollm2-135m")
AI_BASE_URL = env.str("AI_BASE_URL", "https://api.openai.com/v1")
AI_API_KEY = env.str("AI_API_KEY", "")
AI_CAN_CONTINUE = env.bool("AI_CAN_CONTINUE", False)
AI_CONNECT_SECONDS = env.float("AI_CONNECT_SECONDS", 5.0)
AI_FIRST_TOKEN_SECONDS = env.float("AI_FIRST_TOKEN_SECONDS", 60.0)
AI_IDLE_SECONDS = env.float("AI_IDLE_SECONDS", 30.0)
AI_RETRIES = env.int("AI_RETRIES", 2)
AI_SCRIPTS_DIR = Path(env.str("AI_SCRIPTS_DIR", str(BASE_DIR / "blocks" / "providers" / "scripts")))
