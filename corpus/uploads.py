"""Multipart uploads that killed writers left open on S3: no listing shows their parts, which take room.

pyarrow neither lists nor ends them, so botocore does (`corpus.s3`). Where it is not installed, and on other
stores, nothing is done here, and a lifecycle rule of the bucket has to.
"""

from __future__ import annotations

from typing import Final

from corpus import s3

#: Names below a stage's folder that its tasks write: files of its own, and folders that begin so.
_OWN: Final = ("_", "data/")


def end_open_uploads(folder: str) -> int:
    """End the open uploads of a stage's files and return their number.

    Call it while nobody writes there: by who holds the folder's lease, before its tasks begin or after they
    have ended. A server that refuses or does not answer is no error: it is tried again at the next command.
    """
    place = s3.place_of(folder)
    if place is None or not place.key:
        return 0
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, prefix = place.bucket, place.key
    ended = 0
    try:
        client = s3.client(place.credentials, place.query)
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
