"""Every address of the product."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from access.sign_in import AdminSignInForm, SignIn

admin.site.site_header = admin.site.site_title = "Re:infer Exchange Integration"
admin.site.index_title = "Users, groups and records"
admin.site.login_form = AdminSignInForm

urlpatterns = [
    path("", include("sync.urls")),
    path("", include("integrations.urls")),
    path("", include("mailboxes.urls")),
    path("", include("access.urls")),
    path("", include("api.urls")),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
]

handler400 = "api.faults.bad_request"
handler403 = "api.faults.permission_denied"
handler404 = "api.faults.page_not_found"
handler413 = "api.faults.too_large"
handler500 = "api.faults.server_error"
