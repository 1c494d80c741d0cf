"""The log-in page, and the words of both log-in forms when somebody tried too often."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django_htmx.http import HttpResponseClientRefresh

from access import known_browser

TOO_MANY_REQUESTS = 429


class SignInForm(AuthenticationForm):
    """Says how long to wait, whoever the user name is of: it tells nobody which names there are."""

    def get_invalid_login_error(self) -> ValidationError:
        wait = _wait(self.request)
        return ValidationError(_in_words(wait), code="wait") if wait else super().get_invalid_login_error()


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    """The same for Django's admin."""


class SignInView(LoginView):
    """The log-in page. A live page whose session ended is told to load itself anew, and so comes here whole."""

    redirect_authenticated_user = True
    authentication_form = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        known_browser.remember(self.request, response, form.get_user().get_username())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if wait := _wait(self.request):
            response.status_code = TOO_MANY_REQUESTS
            response["Retry-After"] = str(math.ceil(wait.total_seconds()))
        return response


def _wait(request: HttpRequest | None) -> timedelta | None:
    return getattr(request, "sign_in_wait", None)


def _in_words(wait: timedelta) -> str:
    minutes = math.ceil(wait.total_seconds() / 60)
    return (
        "Too many attempts with this user name. Wait "
        f"{'a minute' if minutes == 1 else f'{minutes} minutes'}, then try again."
    )
