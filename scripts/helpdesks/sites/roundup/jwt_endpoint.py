"""`POST /rest/jwt/issue`: a token for whoever has logged in with a password, as the REST guide shows for sites that want tokens."""

import datetime
from typing import Any

import jwt
from roundup.exceptions import UsageError
from roundup.rest import RestfulInstance, Routing, _data_decorator

LONGEST = 86_400


@Routing.route("/jwt/issue", "POST")
@_data_decorator
def issue_jwt(self: Any, input_payload: Any) -> tuple[int, dict[str, str]]:
    """Takes `lifetime` in seconds (an hour unless told, a day at most)."""
    if not self.client.env.get("HTTP_AUTHORIZATION", "").lower().startswith("basic "):
        raise UsageError("a token is given for a login and password only")
    try:
        lifetime = int(input_payload["lifetime"].value)
    except KeyError:
        lifetime = 3600
    except ValueError as error:
        raise UsageError("lifetime is a number of seconds") from error
    if not 0 < lifetime <= LONGEST:
        raise UsageError(f"lifetime is between 1 and {LONGEST}")
    user = self.db.getuid()
    now = datetime.datetime.now(datetime.UTC)
    claims = {
        "sub": user,
        "iss": self.db.config.TRACKER_WEB,
        "aud": self.db.config.TRACKER_WEB,
        "iat": now,
        "exp": now + datetime.timedelta(seconds=lifetime),
        "roles": [role.strip().lower() for role in self.db.user.get(user, "roles").split(",")],
    }
    secret = self.db.config.WEB_JWT_SECRET[0]
    return 200, {"jwt": jwt.encode(claims, secret, algorithm="HS256")}


RestfulInstance.issue_jwt = issue_jwt
