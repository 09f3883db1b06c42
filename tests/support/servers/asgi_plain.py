"""The application without the layers that hand over responses: every stream occupies a thread."""

from channels.routing import ProtocolTypeRouter

from liveai.project_asgi import django_application
from streaming.routing import websocket_application
from streaming.serving.lifespan import WithProcess

application = WithProcess(
    ProtocolTypeRouter({"http": django_application, "websocket": websocket_application})
)
