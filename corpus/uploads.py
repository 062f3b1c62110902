"""Multipart uploads that killed writers left open on S3: no listing shows their parts, which take room.

pyarrow neither lists nor ends them, so botocore does (the extra `s3`). Where it is not installed, and on
other stores, nothing is done here, and a lifecycle rule of the bucket has to.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

#: Names below a stage's folder that its tasks write: files of its own, and folders that begin so.
_OWN: Final = ("_", "data/")


def end_open_uploads(folder: str) -> int:
    """End the open uploads of a stage's files and return their number.

    Call it while nobody writes there: by who holds the folder's lease, before its tasks begin or after they
    have ended. A server that refuses or does not answer is no error: it is tried again at the next command.
    """
    url = urlsplit(folder)
    prefix = url.path.strip("/")
    if url.scheme != "s3" or not prefix or importlib.util.find_spec("botocore") is None:
        return 0
    from botocore.exceptions import BotoCoreError, ClientError

    bucket = url.netloc.rpartition("@")[2]
    ended = 0
    try:
        client = _client(url.netloc.rpartition("@")[0], url.query)
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        for upload in [upload for page in pages for upload in page.get("Uploads", ())]:
            name = upload["Key"].removeprefix(f"{prefix}/")
            if "/" in name and not name.startswith(_OWN):
                continue  # of another run, into a folder of this folder
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            ended += 1
    except (BotoCoreError, ClientError):
        return ended
    return ended


@functools.cache
def _client(credentials: str, query: str) -> Any:
    """A client for a location's server: the options are those that pyarrow takes from a URL."""
    import botocore.session
    from botocore.config import Config

    options = {name: values[-1] for name, values in parse_qs(query).items()}
    endpoint = options.get("endpoint_override")
    if endpoint and "://" not in endpoint:
        endpoint = f"{options.get('scheme', 'https')}://{endpoint}"
    user, _, secret = credentials.partition(":")
    session = botocore.session.get_session()
    return session.create_client(
        "s3",
        endpoint_url=endpoint,
        region_name=options.get("region") or session.get_config_variable("region") or "us-east-1",
        aws_access_key_id=unquote(user) or None,
        aws_secret_access_key=unquote(secret) or None,
        config=Config(
            s3={"addressing_style": "path" if endpoint else "auto"},
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 3},
        ),
    )
