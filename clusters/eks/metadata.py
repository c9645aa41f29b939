"""Whether this is a machine of EC2, whose metadata service hands out credentials: asked briefly, for most are not.

botocore would wait two seconds, and takes no shorter limit than one.
"""

from __future__ import annotations

import http.client
import os
import urllib.parse
from typing import Final

#: Seconds. On EC2 it answers in a millisecond.
PATIENCE: Final = 0.4

_USUAL: Final = "http://169.254.169.254/"


def answers(endpoint: str | None) -> bool:
    """Say whether the metadata service (at `endpoint`, None for the usual one) answers anything at all."""
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    url = urllib.parse.urlsplit(endpoint or _USUAL)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=PATIENCE)
    try:
        connection.request("PUT", "/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()
