"""The project's settings; the only module that reads the environment.

Every value has a default that works on one machine; `.env.example` lists each with its unit. An
unreadable value is refused at once (liveai/environment.py). A readable value that can't work fails
a system check (`manage.py check`) instead of a request.
"""

import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from liveai.accounts.policy import FORMS, RATES, social_apps
from liveai.api_libraries import API_LIBRARIES
from liveai.channel_layers import channel_layers
from liveai.database_url import POSTGRESQL, POSTGRESQL_OPTIONS, SQLITE, SQLITE_OPTIONS
from liveai.dotenv import load_dotenv
from liveai.environment import Environment
from liveai.log_priority import is_journal
from liveai.log_settings import logging_at
from liveai.secret_key import own_secret_key
from liveai.security_headers import UNUSED_FEATURES, content_security_policy

# liveai/host/defaults.py runs this file with values of its own: it reads no environment of another
# project.
environment: MutableMapping[str, str] = globals().get("environment", os.environ)

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR: Path = globals().get("VAR_DIR", BASE_DIR / "var")

if environment is os.environ:
    load_dotenv(BASE_DIR / ".env", environment)  # existing environment variables win
env = Environment(environment)

# --- Django -----------------------------------------------------------------
SECRET_KEY = env.secret_key("DJANGO_SECRET_KEY") or own_secret_key(VAR_DIR)
SECRET_KEY_FALLBACKS = env.secret_keys("DJANGO_SECRET_KEY_FALLBACKS")
DEBUG = env.bool("DJANGO_DEBUG", False)
ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("DJANGO_CSRF_TRUSTED_ORIGINS")
# Pages of these may use the API with a token (liveai/cors.py); never with a cookie.
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
# `serve` passes these to uvicorn for both HTTP and WebSocket. With Django's
# SECURE_PROXY_SSL_HEADER, the sockets' origin check behind TLS would not know the scheme.
TRUSTED_PROXIES = env.list("DJANGO_TRUSTED_PROXIES", default=["127.0.0.1", "::1"])

# --- The site's place on its host ------------------------------------------------
SITE_PATH = env.site_path("SITE_PATH", "/")  # begins and ends with a slash
FORCE_SCRIPT_NAME = SITE_PATH.rstrip("/") or None
# Browsers don't send these to other sites of the host. Without the last slash, a page at `/ai` has
# them too: a proxy that removes the path may show the start page there.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = FORCE_SCRIPT_NAME or "/"
# Not in a cookie of Django's: that one has no path, so the sites of a host would share it.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# The names of allauth's providers, e.g. github; sign-in with them is part of the site only then.
SOCIAL_APPS = social_apps(env.list("SOCIAL_PROVIDERS", default=[]))

# Provides the ASGI server of `runserver`. No other command loads it: Twisted takes 24 MB of each
# process, and 0.3 s of each start.
RUNSERVER = ["daphne"] if "runserver" in sys.argv[1:] else []

INSTALLED_APPS = [
    *RUNSERVER,  # first, as Channels requires
    "operating",  # before the admin, whose templates it changes
    "operating.admin_config.SiteAdmin",  # django.contrib.admin
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
    "axes",
    "allauth",
    "allauth.account",
    "corsheaders",  # its checks; liveai/cors.py calls its middleware
    "knox",
    "blocks",
    "streaming",
    "frontend",
    "liveai",
    "liveai.accounts",
    "liveai.api_tokens",
    *SOCIAL_APPS,
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "liveai.security_headers.ResourcePolicy",
    "liveai.static_files.FilesInPieces",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "streaming.access.signed_in.SignedInUser",
    "liveai.page_middleware.PageMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "liveai.page_middleware.ContentSecurityPolicy",
    "axes.middleware.AxesMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "liveai.urls"
ASGI_APPLICATION = "liveai.asgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "liveai" / "templates"],  # before the apps' own: it changes allauth's
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "liveai.accounts.context.accounts",
            ],
        },
    },
]

DATABASES = {
    "default": env.database_url(
        "DATABASE_URL", {"ENGINE": SQLITE, "NAME": str(VAR_DIR / "db.sqlite3")}, base=BASE_DIR
    )
}
if DATABASES["default"]["ENGINE"] == SQLITE:
    with suppress(OSError):  # liveai.E004 names a place that can't be written
        VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
    # A file, because tests use threads and real servers, which a shared in-memory database locks
    # out.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
if DATABASES["default"]["ENGINE"] == POSTGRESQL:
    DATABASES["default"]["OPTIONS"] = {
        **POSTGRESQL_OPTIONS,
        **DATABASES["default"].get("OPTIONS", {}),
    }
# Request threads are few and reused (liveai/project_asgi.py), so they can keep their connections.
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "liveai.formats"

STATIC_URL = f"{SITE_PATH}static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "liveai.static_files.AppFiles",
]
WHITENOISE_USE_FINDERS = True  # serves the apps' files directly: no collectstatic on one machine

# --- The pages, as Vite builds them -------------------------------------------
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
FRONTEND_FAILURE = VAR_DIR / "frontend-failure"  # why the last build failed; written by scripts/
FRONTEND_DEV_SERVER = env.bool("FRONTEND_DEV_SERVER", False)
DJANGO_VITE = {
    "default": {
        "dev_mode": FRONTEND_DEV_SERVER,
        "manifest_path": FRONTEND_DIST / "manifest.json",
        "static_url_prefix": "ai",
    }
}
SILENCED_SYSTEM_CHECKS = [
    "django_vite.W001",  # frontend.W001 says which command to run
    "security.W021",  # HSTS preload applies to a whole domain, which no subdomain can decide
]
# A missing folder would cause a warning of its own.
STATICFILES_DIRS = [("ai", FRONTEND_DIST)] if FRONTEND_DIST.is_dir() else []
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Vite's file names already contain a content hash, so such a file never changes.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/ai/assets/[^/]+-[\w-]{8}\.\w+(\.gz)?$"

SESSION_ENGINE = "streaming.access.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("DJANGO_SECURE_COOKIES", False)
# Sent only over HTTPS, and therefore only if a trusted proxy reports that a request used it.
SECURE_HSTS_SECONDS = env.int("DJANGO_HSTS_SECONDS", 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("DJANGO_HSTS_SUBDOMAINS", False)
SECURE_SSL_REDIRECT = env.bool("DJANGO_SSL_REDIRECT", False)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]  # requested by machines, bypassing the proxy
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576  # bytes; project_asgi.py refuses larger ones before Django

CONTENT_SECURITY_POLICY = content_security_policy(
    has_dev_server=FRONTEND_DEV_SERVER, has_providers=bool(SOCIAL_APPS)
)
PERMISSIONS_POLICY: dict[str, list[str]] = {feature: [] for feature in UNUSED_FEATURES}

LOG_LEVEL = env.str("DJANGO_LOG_LEVEL", "INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
LOG_FORMAT = env.str("LOG_FORMAT", "console", choices=["console", "json"])
LOGGING = logging_at(
    LOG_LEVEL, kind=LOG_FORMAT, is_journal=is_journal(os.environ.get("JOURNAL_STREAM", ""))
)

# --- Accounts and sign-in -----------------------------------------------------------
SIGN_UP = env.str("SIGN_UP", "invitation", choices=["open", "invitation", "closed"])
EMAIL_VERIFICATION = env.str(
    "EMAIL_VERIFICATION", "optional", choices=["none", "optional", "mandatory"]
)
vars().update(env.email_url("EMAIL_URL", "consolemail://"))  # EMAIL_BACKEND, EMAIL_HOST, ...
EMAIL_TIMEOUT = 10  # seconds; a mail server that hangs must not hold a request for long
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "Live AI Blocks <liveai@localhost>")
# Rates of the accounts' pages. Rows, so that all processes count together, also without Redis.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "liveai_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"  # where a refused `next` leads
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "liveai.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = FORMS
ACCOUNT_LOGIN_METHODS = ["username", "email"]
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = EMAIL_VERIFICATION
ACCOUNT_PREVENT_ENUMERATION = "strict"  # also where addresses need no confirmation
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one replaces it when it is confirmed
ACCOUNT_CONFIRM_EMAIL_ON_GET = False  # programs that look through e-mails open links
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_METHODS = ["password"]
ACCOUNT_RATE_LIMITS = RATES
SOCIALACCOUNT_ADAPTER = "liveai.accounts.social.SocialAdapter"
LIMIT_SIGN_IN_FAILURES = env.int("LIMIT_SIGN_IN_FAILURES", 10)
LIMIT_SIGN_IN_SECONDS = env.int("LIMIT_SIGN_IN_SECONDS", 300)
AUTHENTICATION_BACKENDS = [
    "streaming.access.sign_in.SignInBackend",  # first: it refuses before a password is hashed
    "django.contrib.auth.backends.ModelBackend",
    "liveai.accounts.backend.EmailBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    )
]
AXES_HANDLER = "streaming.access.sign_in.SignInHandler"
AXES_CLIENT_IP_CALLABLE = "streaming.access.sign_in.address_of"
AXES_LOCKOUT_CALLABLE = "liveai.accounts.views.too_many_failures"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], ["ip_address"]]
AXES_LOCK_OUT_AT_FAILURE = LIMIT_SIGN_IN_FAILURES > 0
AXES_FAILURE_LIMIT = LIMIT_SIGN_IN_FAILURES
AXES_COOLOFF_TIME = timedelta(seconds=LIMIT_SIGN_IN_SECONDS)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else an attacker could keep it locked
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_USERNAME_CALLABLE = "streaming.access.sign_in.name_of"
AXES_SENSITIVE_PARAMETERS = ["username", "login", "email", "csrfmiddlewaretoken"]

vars().update(API_LIBRARIES)  # REST_FRAMEWORK, REST_KNOX, CORS_..., ...
SPECTACULAR_SETTINGS = {
    "TITLE": "Live AI Blocks",
    "DESCRIPTION": "AI blocks whose answers arrive live, token by token. "
    "The events are described in specs/050-live-ai-interaction/.",
    "VERSION": "0.1.0",
    "LICENSE": {"name": "MIT"},
    "EXTERNAL_DOCS": {
        "description": "Licences of what this site serves",
        "url": f"{SITE_PATH}licenses",
    },
    "SERVERS": [{"url": FORCE_SCRIPT_NAME}] if FORCE_SCRIPT_NAME else [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.0",  # the first whose schemas are JSON Schema 2020-12, like the contract
    "POSTPROCESSING_HOOKS": [
        "streaming.http.openapi.require_bodies",
        "streaming.http.openapi.add_contract_shapes",
    ],
    "SCHEMA_PATH_PREFIX": "/api",
}

# --- Channel layer: the session's control messages, never tokens ---------------
REDIS_URL = env.url("REDIS_URL", "")
REDIS_PREFIX = env.str("REDIS_PREFIX", "liveai")
CHANNEL_LAYERS = channel_layers(REDIS_URL, prefix=REDIS_PREFIX)

# --- Streaming: the switches (defaults; the admin panel may override them) -----
AI_STREAMING_ENABLED = env.bool("AI_STREAMING_ENABLED", False)
STREAMING_BACKEND = env.str("STREAMING_BACKEND", "sse", choices=["sse", "websocket"])
AI_STREAMING_FALLBACK = env.bool("AI_STREAMING_FALLBACK", True)
AI_STREAMING_RUNNER = env.str("AI_STREAMING_RUNNER", "inline", choices=["inline", "worker"])
AI_ALLOW_ANONYMOUS = env.bool("AI_ALLOW_ANONYMOUS", False)

# --- Streaming: limits (in seconds unless named otherwise) ---------------------
STREAM_ABANDON_SECONDS = env.float("STREAM_ABANDON_SECONDS", 60.0)
STREAM_DRAIN_SECONDS = env.float("STREAM_DRAIN_SECONDS", 20.0)
STREAM_MAX_AGE_SECONDS = env.float("STREAM_MAX_AGE_SECONDS", 600.0)
STREAM_LOG_SECONDS = env.float("STREAM_LOG_SECONDS", 3600.0)
STREAM_LOG_BYTES = env.int("STREAM_LOG_BYTES", 268_435_456, at_most=2**50)  # 0: unlimited
STREAM_MAX_ROUND_MS = env.int("STREAM_MAX_ROUND_MS", 100, at_most=1000)
STREAM_RETENTION_DAYS = env.float("STREAM_RETENTION_DAYS", 0.0)  # 0: for ever
AUDIT_RETENTION_DAYS = env.float("AUDIT_RETENTION_DAYS", 365.0)  # 0: for ever
STREAM_MAX_EVENTS = env.int("STREAM_MAX_EVENTS", 100_000)
STREAM_MAX_RUNNING = env.int("STREAM_MAX_RUNNING", 200)
STREAM_MAX_WAITING = env.int("STREAM_MAX_WAITING", 50, at_most=1_000)
STREAM_WAIT_SECONDS = env.float("STREAM_WAIT_SECONDS", 30.0)
STREAM_DEADLINE_SECONDS = env.float("STREAM_DEADLINE_SECONDS", 600.0)
STREAM_ON_RIGHT_END = env.str("STREAM_ON_RIGHT_END", "continue", choices=["continue", "cancel"])

# --- The server (manage.py serve) ---------------------------------------------------
# 0: 75 for trusted proxies, 5 for all others
SERVER_KEEP_ALIVE_SECONDS = env.float("SERVER_KEEP_ALIVE_SECONDS", 0.0)
METRICS_TOKEN = env.api_key("METRICS_TOKEN")  # empty: no /metrics

# --- Traces. OpenTelemetry's SDK reads its other variables itself ---------------------
TRACING = env.bool("TRACING", False)
TRACING_FROM_PROXIES = env.bool("TRACING_FROM_PROXIES", False)
OTEL_TRACES_EXPORTER = env.str("OTEL_TRACES_EXPORTER", "otlp", choices=["otlp", "console", "none"])

# --- Limits of visitors (0: none) ------------------------------------------------
LIMIT_RUNNING_PER_OWNER = env.int("LIMIT_RUNNING_PER_OWNER", 6)
LIMIT_RUNNING_PER_ADDRESS = env.int("LIMIT_RUNNING_PER_ADDRESS", 60)
LIMIT_STARTS_PER_MINUTE = env.int("LIMIT_STARTS_PER_MINUTE", 30)
LIMIT_STARTS_PER_MINUTE_PER_ADDRESS = env.int("LIMIT_STARTS_PER_MINUTE_PER_ADDRESS", 120)
LIMIT_TOKENS_PER_DAY = env.int("LIMIT_TOKENS_PER_DAY", 0, at_most=2**50)
LIMIT_TOKENS_PER_MONTH = env.int("LIMIT_TOKENS_PER_MONTH", 0, at_most=2**50)
LIMIT_ANONYMOUS_STARTS_PER_HOUR = env.int("LIMIT_ANONYMOUS_STARTS_PER_HOUR", 60)
LIMIT_ANONYMOUS_TOKENS_PER_DAY = env.int("LIMIT_ANONYMOUS_TOKENS_PER_DAY", 2_000_000, at_most=2**50)
LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS = env.int(
    "LIMIT_ANONYMOUS_TOKENS_PER_DAY_PER_ADDRESS", 500_000, at_most=2**50
)
LIMIT_ANONYMOUS_SHARE = env.int("LIMIT_ANONYMOUS_SHARE", 75)  # percent of STREAM_MAX_RUNNING
LIMIT_ANONYMOUS_SHARE_PER_ADDRESS = env.int("LIMIT_ANONYMOUS_SHARE_PER_ADDRESS", 75)  # % of that
LIMIT_CONNECTIONS = env.int("LIMIT_CONNECTIONS", 5_000)
LIMIT_CONNECTIONS_PER_ADDRESS = env.int("LIMIT_CONNECTIONS_PER_ADDRESS", 500)
LIMIT_REQUESTS_PER_SECOND_PER_ADDRESS = env.int("LIMIT_REQUESTS_PER_SECOND_PER_ADDRESS", 100)
LIMIT_SOCKETS_PER_OWNER = env.int("LIMIT_SOCKETS_PER_OWNER", 20)
LIMIT_SOCKETS_PER_ADDRESS = env.int("LIMIT_SOCKETS_PER_ADDRESS", 200)
LIMIT_VIEWERS_PER_OWNER = env.int("LIMIT_VIEWERS_PER_OWNER", 100)
LIMIT_FRAMES_PER_SECOND = env.float("LIMIT_FRAMES_PER_SECOND", 50.0)
LIMIT_REPLAYED_EVENTS_PER_SECOND = env.float("LIMIT_REPLAYED_EVENTS_PER_SECOND", 5000.0)

# --- Users of other sites (streaming/access/signed_tokens/) ------------------------
JWT_ISSUER = env.str("JWT_ISSUER", "")  # empty, and no more issuers: signed tokens are off
JWT_AUDIENCE = env.str("JWT_AUDIENCE", "")
JWT_SHARED_KEY = env.api_key("JWT_SHARED_KEY")
JWT_JWKS_URL = env.url("JWT_JWKS_URL", "")
JWT_MORE_ISSUERS = env.objects("JWT_MORE_ISSUERS")
JWT_MAX_LIFETIME_SECONDS = env.int("JWT_MAX_LIFETIME_SECONDS", 3600)

# --- Providers -------------------------------------------------------------------
AI_MODEL = env.model("AI_MODEL", "local:smollm2-135m")
AI_SAMPLES = env.str("AI_SAMPLES", "demo", choices=["demo", "always", "never"])
AI_BASE_URL = env.url("AI_BASE_URL", "https://api.openai.com/v1")
AI_API_KEY = env.api_key("AI_API_KEY")
AI_CAN_CONTINUE = env.bool("AI_CAN_CONTINUE", False)
AI_CONNECT_SECONDS = env.float("AI_CONNECT_SECONDS", 5.0)
AI_FIRST_TOKEN_SECONDS = env.float("AI_FIRST_TOKEN_SECONDS", 60.0)
AI_IDLE_SECONDS = env.float("AI_IDLE_SECONDS", 30.0)
AI_REASONING_TOKENS = env.int("AI_REASONING_TOKENS", 4_000, at_most=200_000)
AI_RETRIES = env.int("AI_RETRIES", 2)
AI_MODELS_DIR = BASE_DIR / env.str("AI_MODELS_DIR", "var/models")
AI_SCRIPTS_DIR = Path(env.str("AI_SCRIPTS_DIR", str(BASE_DIR / "blocks" / "providers" / "scripts")))
