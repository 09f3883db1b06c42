"""The addresses of the accounts' pages: ours, then allauth's."""

from allauth.account.decorators import reauthentication_required
from allauth.account.views import email
from django.urls import include, path

from . import data, views

urlpatterns = [
    path("", views.home, name="account_home"),
    path("name/", views.change_name, name="account_change_name"),
    path("data/", data.data, name="account_data"),
    path("data/delete/", data.delete_answers, name="account_delete_answers"),
    path("delete/", views.delete, name="account_delete"),
    path("deleted/", views.deleted, name="account_deleted"),
    path("invitation/<str:token>/", views.invitation, name="account_invitation"),
    # Whoever finds a browser signed in could otherwise take the account over by a new address.
    path("email/", reauthentication_required(allow_get=True)(email), name="account_email"),
    path("", include("allauth.urls")),
]
