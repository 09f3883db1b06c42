from django.urls import path

from . import openai_views

urlpatterns = [
    path("models", openai_views.ModelsView.as_view(), name="openai-models"),
    path("chat/completions", openai_views.ChatCompletionsView.as_view(), name="openai-chat"),
]
