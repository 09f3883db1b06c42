from django.urls import path

from . import views

urlpatterns = [
    path("", views.tokens, name="account_tokens"),
    path("revoke/", views.revoke, name="account_revoke_token"),
]
