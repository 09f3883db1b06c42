import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
http = ASGIStaticFilesHandler(get_asgi_application())  # as `runserver` does

from host_api import Echo  # noqa: E402 (Django must be set up first)

sockets = URLRouter([path("ws/echo", Echo.as_asgi())])
application = ProtocolTypeRouter({"http": http, "websocket": sockets})
