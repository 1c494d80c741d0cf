"""The root URL configuration. `web.probes` responds to /healthz and /metrics before Django uses these URLs."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from web.access.sign_in import AdminSignInForm, SignInView

admin.site.site_header = admin.site.site_title = "Re:infer Exchange Integration"
admin.site.index_title = "Users, groups and records"
admin.site.login_form = AdminSignInForm

urlpatterns = [
    path("", include("web.sync.urls")),
    path("", include("web.integrations.urls")),
    path("", include("web.mailboxes.urls")),
    path("", include("web.access.urls")),
    path("", include("api.urls")),
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]

handler400 = "api.error_handlers.bad_request"
handler403 = "api.error_handlers.permission_denied"
handler404 = "api.error_handlers.page_not_found"
handler413 = "api.error_handlers.too_large"
handler500 = "api.error_handlers.server_error"
