"""The project as a WSGI application, for waitress."""

from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found]  # Django lives in the server's own environment

application = get_wsgi_application()
