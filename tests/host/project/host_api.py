"""The host's own call, page, socket and sign-in."""

from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user_model, login
from django.http import HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import NotFound
from rest_framework.response import Response
from rest_framework.views import APIView


def own_handler(error, context):
    return Response({"hosts": "error"}, status=418)


class Notes(APIView):
    permission_classes = ()

    def get(self, request, number):
        if number > 1:
            raise NotFound
        return Response({"user": request.user and request.user.pk})


class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(f"host: {text_data}")


def page(request):
    response = render(request, "host_page.html")
    response["Content-Security-Policy"] = "default-src 'self'"
    return response


def enter(request):
    rights = {"is_staff": True, "is_superuser": True}
    person, _ = get_user_model().objects.get_or_create(username="ada", defaults=rights)
    login(request, person)
    return HttpResponse(person.pk)
