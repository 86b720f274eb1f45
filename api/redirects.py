"""What we ask of others is asked of them alone: redirects are not followed."""

from __future__ import annotations

import urllib.request
from typing import Any


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is no answer: what we send would go to whoever answers there."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
