"""Requests to S3 that pyarrow can't make: the end of open uploads, a small file read in one request, and an
object deleted in one.

They are made by botocore (the extra `s3`); where it is not installed, callers do without. Owns the client of
a location's server and how a URL names bucket, key and options.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import warnings
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, quote, unquote

from corpus import credentials

_SCHEME: Final = "s3://"
#: Connections of a client: as many as a folder's receipts are read at a time.
_CONNECTIONS: Final = 32
#: Variables that name another server than Amazon's, to botocore and pyarrow alike.
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


class Place(NamedTuple):
    """What a URL names: key and secret (empty: the environment's; a name alone, `anonymous@`: requests are
    not signed), bucket, key of the object, options."""

    credentials: str
    bucket: str
    key: str
    query: str


def place_of(location: str) -> Place | None:
    """The place that a URL of S3 names; None for another location, where botocore is not installed, and
    where it can't do what the URL asks for: it takes no folder of certificates."""
    if not location.startswith(_SCHEME) or not _has_botocore():
        return None
    place = parse(location)
    return None if "tls_ca_dir_path" in parse_qs(place.query) else place


def parse(location: str) -> Place:
    """The place that a URL of S3 names; key and secret are its own, or those that this command was given for
    it (`corpus.credentials`)."""
    keys, clean = credentials.split(location)
    path, _, query = clean.removeprefix(_SCHEME).partition("?")
    netloc, _, key = path.partition("/")
    user, _, bucket = netloc.rpartition("@")
    return Place(user or keys, bucket, key.strip("/"), query)


def userinfo(keys: str) -> str:
    """Key and secret as they stand before the bucket of a URL: a secret may hold slashes."""
    user, colon, secret = keys.partition(":")
    return f"{quote(unquote(user), safe='')}{colon}{quote(unquote(secret), safe='')}@" if keys else ""


@functools.cache
def _has_botocore() -> bool:
    return importlib.util.find_spec("botocore") is not None


def read_small(location: str, most: int) -> bytes | None:
    """The content of an object of at most `most` bytes, by one request where pyarrow makes two: it asks for
    the size first. None where the object is larger, where botocore is not installed, and where the server
    does not answer as it should: pyarrow is then to be asked, whose errors `corpus.faults` knows. Raises
    FileNotFoundError."""
    place = place_of(location)
    if place is None or not place.key:
        return None
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.httpsession import URLLib3SSLError as TlsError  # of the body: botocore lets it through

    try:
        found = client(place.credentials, place.query, attempts=1).get_object(
            Bucket=place.bucket, Key=place.key, Range=f"bytes=0-{most - 1}"
        )
        whole = int(found.get("ContentRange", "").rpartition("/")[2] or found["ContentLength"])
        # As a context manager of its own the body gives urllib3's stream, whose errors are others.
        with closing(found["Body"]) as body:
            if whole > most:
                return None
            data: bytes = body.read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchKey":
            raise FileNotFoundError(location) from error
        return None
    except (BotoCoreError, TlsError, OSError, ValueError):
        return None
    return data if len(data) == whole else None


def delete(location: str) -> bool:
    """Delete an object, if it is there, by one request: pyarrow makes three, and puts a marker of the folder.
    Whether that was done: not where botocore is not installed, nor where the server does not answer as it
    should. pyarrow is then to be asked."""
    place = place_of(location)
    if place is None or not place.key:
        return False
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client(place.credentials, place.query, attempts=1).delete_object(Bucket=place.bucket, Key=place.key)
    except (BotoCoreError, ClientError):
        return False
    return True


def _verify(options: Mapping[str, str]) -> bool | str | None:
    """What botocore's `verify` is by pyarrow's options: no check, or a file of authorities; None: as
    AWS_CA_BUNDLE and the configuration say."""
    if options.get("tls_verify_certificates", "true").lower() in ("false", "0"):
        return False
    return options.get("tls_ca_file_path")


@functools.cache
def client(keys: str, query: str, attempts: int = 4) -> Any:
    """A client for a location's server: the options are those that pyarrow takes from a URL."""
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    options = {name: values[-1] for name, values in parse_qs(query).items()}
    endpoint = options.get("endpoint_override")
    if endpoint and "://" not in endpoint:
        endpoint = f"{options.get('scheme', 'https')}://{endpoint}"
    by_path = endpoint or any(map(os.environ.get, _ENDPOINTS))
    user, _, secret = keys.partition(":")
    verify = _verify(options)
    if verify is False:  # whoever writes that into a URL knows it
        warnings.filterwarnings("ignore", "Unverified HTTPS request")
    session = botocore.session.get_session()
    return session.create_client(
        "s3",
        endpoint_url=endpoint,
        verify=verify,
        region_name=options.get("region") or session.get_config_variable("region") or "us-east-1",
        aws_access_key_id=unquote(user) if secret else None,
        aws_secret_access_key=unquote(secret) or None,
        config=Config(
            signature_version=UNSIGNED if user and not secret else None,
            s3={"addressing_style": "path" if by_path else "auto"},
            connect_timeout=5,
            read_timeout=30,
            retries={"total_max_attempts": attempts},
            max_pool_connections=_CONNECTIONS,
            # Not every store knows the checksums that Amazon's added in 2025.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
