"""The helpdesk at the root, tokens for logins, and the files that were uploaded."""

from django.conf import settings  # type: ignore[import-not-found]  # Django lives in the server's own environment
from django.urls import include, path, re_path  # type: ignore[import-not-found]  # as above
from django.views.static import serve  # type: ignore[import-not-found]  # as above
from rest_framework.authtoken.views import obtain_auth_token  # type: ignore[import-not-found]  # as above

urlpatterns = [
    path("api-token-auth/", obtain_auth_token),
    re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT}),
    path("", include("helpdesk.urls", namespace="helpdesk")),
]
