from django.urls import path

from . import ag_ui_views, ai_sdk_views

urlpatterns = [
    path("ai-sdk/<str:block>", ai_sdk_views.ChatView.as_view(), name="dialect-ai-sdk"),
    path(
        "ai-sdk/<str:block>/object", ai_sdk_views.ObjectView.as_view(), name="dialect-ai-sdk-object"
    ),
    path(
        "ai-sdk/<str:block>/<str:chat>/stream",
        ai_sdk_views.ResumeView.as_view(),
        name="dialect-ai-sdk-resume",
    ),
    path(
        "ai-sdk/<str:block>/<str:chat>/stop",
        ai_sdk_views.StopView.as_view(),
        name="dialect-ai-sdk-stop",
    ),
    path("ag-ui/<str:block>", ag_ui_views.RunView.as_view(), name="dialect-ag-ui"),
    path("ag-ui/<str:block>/stop", ag_ui_views.StopRunView.as_view(), name="dialect-ag-ui-stop"),
]
