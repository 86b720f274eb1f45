"""Site codes: drawing them, reading what people type, and the URL that a QR code holds.

A site code is 12 characters of Crockford's base 32 (https://www.crockford.com/base32.html):
digits and capital letters without I, L, O and U, so that no two of them are mistaken for each
other when read aloud. 60 random bits make guessing one hopeless.
"""

import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
GROUP = 4

_LOOKALIKES = str.maketrans("ILO", "110")
_SPOKEN_BREAKS = re.compile(r"[\s-]+", re.ASCII)
# Long enough for a code with a break after every character, short enough to refuse a flood.
_LONGEST_INPUT = 64

_VALUE = re.compile(rf"[0-9]{{8}}|[{ALPHABET}]{{{LENGTH}}}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}(?::|\Z)){_LABEL}(?:\.{_LABEL})*(?::[0-9]{{1,5}})?")
_URL = re.compile(r"(?i:https)://([^/?#]+)/q/([^/?#]+)")


def new_site_code() -> str:
    """Draw a fresh site code from the operating system's randomness, in its stored form."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def normalise_site_code(text: str) -> str:
    """The stored form of a site code as somebody typed it or heard it.

    Small letters, I and L for 1, O for 0, hyphens and white space are understood.
    Raises ValueError when the text cannot be a site code; the message says why.
    """
    if len(text) > _LONGEST_INPUT:
        raise ValueError(f"a site code has {LENGTH} characters, this text has {len(text)}")
    # Only ASCII is raised to capitals: elsewhere upper() turns foreign letters into ours.
    if not text.isascii():
        raise ValueError("a site code has only Latin letters and digits")
    code = _SPOKEN_BREAKS.sub("", text).upper().translate(_LOOKALIKES)
    _refuse_foreign_characters(code)
    if len(code) != LENGTH:
        raise ValueError(f"a site code has {LENGTH} characters, this one has {len(code)}")
    return code


def display_site_code(code: str) -> str:
    """A site code as people read it: `XXXX-XXXX-XXXX`. Raises ValueError if it is none."""
    stored = normalise_site_code(code)
    return "-".join(stored[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def site_code_url(code: str, *, host: str, secure: bool = True) -> str:
    """The URL that a QR code holds, `https://<host>/q/<code>`.

    `host` is a DNS name in ASCII or an IPv4 address, with a port if need be; only a developer's
    own machine is not `secure`. Raises ValueError for a bad code or host.
    """
    scheme = "https" if secure else "http"
    return f"{scheme}://{_normalise_host(host)}/q/{normalise_site_code(code)}"


def site_code_in_url(url: str, *, host: str) -> str:
    """The site code, in its stored form, of a URL scanned from a QR code.

    The URL must lead to `host`: whoever hangs up a code of their own must not be believed.
    Raises ValueError for any other URL, also for one with a query or a fragment.
    """
    # Not urlsplit: it drops tabs and line breaks silently, and so reads more than was printed.
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("this is not the URL of a site code (https://<host>/q/<code>)")
    if match[1].lower() != _normalise_host(host):
        raise ValueError("the URL of this site code leads to another host")
    return normalise_site_code(match[2])


def normalise_value(text: str) -> str:
    """The value of a screen or a slip in its stored form, as somebody typed it.

    What cannot be one becomes a text that is none.
    """
    return _SPOKEN_BREAKS.sub("", text).upper().translate(_LOOKALIKES) if text.isascii() else ""


def value_url(code: str, value: str, *, host: str, secure: bool = True) -> str:
    """The URL of a screen's code or of a slip: `https://<host>/q/<code>#<value>`.

    What stands behind # stays in the phone: no server, proxy or log on the way sees it. Raises
    ValueError for a bad code, host or value.
    """
    if not _VALUE.fullmatch(value):
        raise ValueError("a value has 8 digits or 12 letters and digits")
    return f"{site_code_url(code, host=host, secure=secure)}#{value}"


def read_url(url: str, *, host: str) -> tuple[str, str | None]:
    """The site code, and the value if there is one, of a URL scanned from a QR code.

    Raises ValueError as `site_code_in_url` does, and for a value that can be none.
    """
    address, mark, value = url.partition("#")
    if mark and not _VALUE.fullmatch(value):
        raise ValueError("what stands behind # is no value of a screen or a slip")
    return site_code_in_url(address, host=host), value if mark else None


def _refuse_foreign_characters(code: str) -> None:
    for position, character in enumerate(code, start=1):
        if character not in ALPHABET:
            raise ValueError(f"site codes have no {character!r}, as character {position} here")


def _normalise_host(host: str) -> str:
    lowered = host.lower()
    if not (host.isascii() and _HOST.fullmatch(lowered)):
        raise ValueError("a host is a DNS name or IPv4 address, with a port if need be")
    return lowered
