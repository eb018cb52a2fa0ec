"""The tracker as a WSGI application, for waitress."""

import os

from roundup.cgi.wsgi_handler import (  # type: ignore[import-not-found]  # Roundup lives in the server's own environment
    RequestDispatcher,
)

app = RequestDispatcher(os.environ["HELPDESK_DATA"], feature_flags={"cache_tracker": ""})
