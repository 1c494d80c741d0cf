"""The log-in page of the product, the log-in form of Django admin, and their message after too many attempts."""

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
    """A log-in form that states how long to wait after too many attempts.

    The message is the same for every user name, so it does not reveal which user names exist.
    """

    def get_invalid_login_error(self) -> ValidationError:
        """Return the error of a refused log-in: the time to wait, or Django's own error.

        Returns:
            The validation error; its code is `wait` after too many attempts.
        """
        wait = _wait(self.request)
        return ValidationError(_wait_text(wait), code="wait") if wait else super().get_invalid_login_error()


class AdminSignInForm(SignInForm, AdminAuthenticationForm):
    """The log-in form of Django's admin, with the same message after too many attempts."""


class SignInView(LoginView):
    """The log-in page.

    If the session of a live page has expired, the next refresh of that page is redirected to the log-in page. The response
    then makes htmx reload the whole page, so the user sees the log-in page.
    """

    redirect_authenticated_user = True
    authentication_form = SignInForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the log-in page, or make htmx reload the whole page.

        Args:
            request: the request
            *args: positional arguments of the URL
            **kwargs: named arguments of the URL

        Returns:
            The page; for htmx, a response without a page.
        """
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Log the user in, and mark the browser as known for this user name.

        Args:
            form: the valid form

        Returns:
            A redirect to the page that the user wanted to open, or to the overview.
        """
        response = super().form_valid(form)
        known_browser.remember(self.request, response, form.get_user().get_username())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form with its error; after too many attempts, with status 429 and `Retry-After`.

        Args:
            form: the invalid form

        Returns:
            The page.
        """
        response = super().form_invalid(form)
        if wait := _wait(self.request):
            response.status_code = TOO_MANY_REQUESTS
            response["Retry-After"] = str(math.ceil(wait.total_seconds()))
        return response


def _wait(request: HttpRequest | None) -> timedelta | None:
    return getattr(request, "sign_in_wait", None)


def _wait_text(wait: timedelta) -> str:
    minutes = math.ceil(wait.total_seconds() / 60)
    return (
        "Too many attempts with this user name. Wait "
        f"{'a minute' if minutes == 1 else f'{minutes} minutes'}, then try again."
    )
