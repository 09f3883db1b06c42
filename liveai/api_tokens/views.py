"""The account's page of API tokens: list, make, revoke."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from .forms import TokenForm
from .making import TOKENS_AT_MOST, NotMade, make_token
from .models import ApiToken


@never_cache
@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def tokens(request: HttpRequest) -> HttpResponse:
    """List the user's tokens; make one, after the password was typed again.

    The answer to the POST shows the secret, which is kept nowhere. A reload would make no second
    token, because names are unique.
    """
    form = TokenForm(request.POST or None, label_suffix="")
    made = secret = None
    if request.method == "POST":
        if refused := ratelimit.consume_or_429(request, action="make_token"):
            return refused
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                made, secret = make_token(
                    request.user.pk, name=chosen["name"], scope=chosen["scope"], days=form.days
                )
                form = TokenForm(label_suffix="")
            except NotMade as error:
                form.add_error("name", str(error))
    own = list(ApiToken.objects.filter(user_id=request.user.pk))
    context = {
        "tokens": [token for token in own if token != made],
        "made": made,
        "secret": secret,
        "form": form,
        "is_full": len(own) >= TOKENS_AT_MOST,
        "at_most": TOKENS_AT_MOST,
    }
    return render(request, "account/tokens.html", context)


@never_cache
@require_POST
@login_required
def revoke(request: HttpRequest) -> HttpResponse:
    """Delete one of the user's tokens, named by its beginning. What it has open ends in seconds."""
    key = request.POST.get("token", "")[:25].replace("\0", "")
    for token in ApiToken.objects.filter(user_id=request.user.pk, token_key=key):
        token.delete()
        messages.success(request, f"“{token.name}” is revoked.")
    return redirect("account_tokens")
