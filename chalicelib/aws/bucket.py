"""Objects in S3: papers, letters as sent, attachments."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from chalicelib.aws import clients
from chalicelib.kernel.errors import TooLarge, Unavailable
from chalicelib.ports import First, Stored

DOWNLOAD_SECONDS = 300
UPLOAD_SECONDS = 600


class S3Bucket:
    """The bucket of this name; every outage is `Unavailable`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def put(self, key: str, content: bytes, *, content_type: str, sha256: str) -> None:
        """Write an object; the same key again is the same content."""
        metadata = {"sha256": sha256}
        self._call("put_object", Key=key, Body=content, ContentType=content_type, Metadata=metadata)

    def get(self, key: str, *, most: int) -> bytes | None:
        """The object, or None where there is none; `TooLarge` beyond `most` bytes."""
        answer = self._call("get_object", Key=key)
        if answer is None:
            return None
        if answer["ContentLength"] > most:
            raise TooLarge
        content: bytes = answer["Body"].read()
        return content

    def get_first(self, key: str, *, most: int) -> First | None:
        """What was laid down under the key first, whatever came over it; None for nothing.

        `TooLarge` beyond `most` bytes.
        """
        found = [one for one in self._versions(key) if "Size" in one and one["Key"] == key]
        if not found:
            return None
        # S3 lists the newest first.
        first = found[-1]
        if first["Size"] > most:
            raise TooLarge
        answer = self._call("get_object", Key=key, VersionId=first["VersionId"])
        if answer is None:
            return None
        contents = {(one["ETag"], one["Size"]) for one in found}
        return First(content=answer["Body"].read(), replaced=len(contents) > 1)

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""
        self._call("delete_object", Key=key)

    def copy(self, key: str, to: str) -> None:
        """The same object under another key too; copying what is not there is no error."""
        self._call("copy_object", Key=to, CopySource={"Bucket": self.name, "Key": key})

    def found(self, prefix: str) -> Iterator[Stored]:
        """Every object under this prefix, in the order of keys; asked for page by page."""
        asked: dict[str, Any] = {"Prefix": prefix}
        while True:
            page = self._call("list_objects_v2", **asked) or {}
            for one in page.get("Contents", []):
                yield Stored(key=one["Key"], size=one["Size"], at=one["LastModified"])
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def begin_parts(self, key: str, *, content_type: str) -> str:
        """Begin an object that is written in parts; the name of the upload."""
        begun = self._call("create_multipart_upload", Key=key, ContentType=content_type)
        upload: str = begun["UploadId"]
        return upload

    def put_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Write one part, 5 MB at least but for the last; its tag, or "" where none is begun."""
        where = {"Key": key, "UploadId": upload, "PartNumber": number}
        tag: str = (self._call("upload_part", **where, Body=content) or {}).get("ETag", "")
        return tag

    def end_parts(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object whole: these parts in their order."""
        parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, 1)]
        self._call(
            "complete_multipart_upload", Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )

    def erase(self, prefix: str) -> int:
        """Remove every version of every object under this prefix; how many there were.

        ValueError for a prefix that would take more than one owner's objects along.
        """
        if prefix.count("/") < 3:
            raise ValueError("this would erase what is others', too")
        removed = 0
        for one in self._versions(prefix):
            self._call("delete_object", Key=one["Key"], VersionId=one["VersionId"])
            removed += 1
        return removed

    def link(self, key: str, *, filename: str, content_type: str) -> str:
        """A presigned GET for five minutes that downloads under this name."""
        url: str = clients.client("s3").generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.name,
                "Key": key,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(filename)}",
                "ResponseCacheControl": "no-store",
            },
            ExpiresIn=DOWNLOAD_SECONDS,
        )
        return url

    def upload_form(
        self, key: str, *, content_type: str, most: int, least: int = 1
    ) -> dict[str, Any]:
        """A presigned POST for ten minutes: exact key and type, `least` to `most` bytes."""
        form: dict[str, Any] = clients.client("s3").generate_presigned_post(
            self.name,
            key,
            Fields={"Content-Type": content_type, "x-amz-server-side-encryption": "AES256"},
            Conditions=[
                {"Content-Type": content_type},
                {"x-amz-server-side-encryption": "AES256"},
                ["content-length-range", least, most],
            ],
            ExpiresIn=UPLOAD_SECONDS,
        )
        return form

    def _versions(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every version and delete marker under this prefix, those of a key newest first."""
        asked: dict[str, Any] = {"Prefix": prefix}
        while True:
            page = self._call("list_object_versions", **asked) or {}
            yield from page.get("Versions", [])
            yield from page.get("DeleteMarkers", [])
            if not page.get("IsTruncated"):
                return
            asked |= {
                "KeyMarker": page["NextKeyMarker"],
                "VersionIdMarker": page["NextVersionIdMarker"],
            }

    def _call(self, operation: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(clients.client("s3"), operation)(Bucket=self.name, **arguments)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise Unavailable from error
        except BotoCoreError as error:
            raise Unavailable from error
