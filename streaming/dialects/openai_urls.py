from django.urls import path

from . import openai_views

urlpatterns = [
    path("models", openai_views.ModelsView.as_view(), name="openai-models"),
    path("models/<str:model>", openai_views.ModelView.as_view(), name="openai-model"),
    path("chat/completions", openai_views.ChatCompletionsView.as_view(), name="openai-chat"),
]
