"""The tracker as a WSGI application, for waitress."""

import os

from roundup.cgi.wsgi_handler import (
    RequestDispatcher,
)

app = RequestDispatcher(os.environ["HELPDESK_DATA"], feature_flags={"cache_tracker": ""})
