"""The pages of an uploaded file, one at a time: PDF, JPEG, PNG, TIFF of many pages.

Whoever uploads may be hostile or unlucky: what a file is follows from its first bytes, sizes are
looked at before anything is unpacked, and one page that can't be read stops no other.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import BytesIO
from typing import Any

MOST_PAGES = 500
MOST_PIXELS = 50_000_000  # A4 at 600 dpi has 35
_LONGEST = 3600  # pixels of a page's longer side: A4 at 300 dpi has 3,508
_DPI = 300
_ENCRYPTED = 4  # FPDF_ERR_PASSWORD
_FORMATS = ("JPEG", "PNG", "TIFF")
_FIRST_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")
Picture = Any  # a PIL image in shades of grey


class Trouble(StrEnum):
    """Why a file, or a page of it, can't be read."""

    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    TYPE_REFUSED = "type_refused"
    TOO_MANY_PAGES = "too_many_pages"
    NO_PAGES = "no_pages"
    TOO_LARGE = "too_large"


class Unreadable(Exception):
    """A file or a page that can't be read, and why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Source:
    """An opened file; `Unreadable` where a page is not to be had."""

    def __init__(self, pages: int) -> None:
        if pages < 1:
            raise Unreadable(Trouble.NO_PAGES)
        if pages > MOST_PAGES:
            raise Unreadable(Trouble.TOO_MANY_PAGES)
        self.pages = pages

    def picture(self, number: int) -> Picture:
        """The page of this number, from 1, in shades of grey."""
        try:
            return self._picture(number)
        except Unreadable:
            raise
        except Exception as error:
            raise Unreadable(Trouble.DAMAGED) from error

    def _picture(self, number: int) -> Picture:
        raise NotImplementedError


@contextmanager
def opened(content: bytes) -> Iterator[Source]:
    """The file, opened; `Unreadable` for what is no file of pages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bomb is refused by its size; the rest is a page's own
        if b"%PDF-" in content[:1024]:
            yield from _pdf(content)
        elif content.startswith(_FIRST_BYTES):
            yield from _image(content)
        else:
            raise Unreadable(Trouble.TYPE_REFUSED)


def _pdf(content: bytes) -> Iterator[Source]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        encrypted = getattr(error, "err_code", None) == _ENCRYPTED
        raise Unreadable(Trouble.ENCRYPTED if encrypted else Trouble.DAMAGED) from error
    try:
        yield _Pdf(document)
    finally:
        document.close()


def _image(content: bytes) -> Iterator[Source]:
    from PIL import Image

    try:
        image = Image.open(BytesIO(content), formats=_FORMATS)
        source = _Image(image)
    except Unreadable:
        raise
    except Image.DecompressionBombError as error:
        raise Unreadable(Trouble.TOO_LARGE) from error
    except Exception as error:
        raise Unreadable(Trouble.DAMAGED) from error
    try:
        yield source
    finally:
        image.close()


class _Pdf(Source):
    def __init__(self, document: Any) -> None:
        super().__init__(len(document))
        self._document = document

    def _picture(self, number: int) -> Picture:
        page = self._document[number - 1]
        try:
            longest = max(page.get_size())
            if longest <= 0:
                raise Unreadable(Trouble.DAMAGED)
            scale = min(_DPI / 72, _LONGEST / longest)
            bitmap = page.render(scale=scale, grayscale=True)
            try:
                return bitmap.to_pil().convert("L")
            finally:
                bitmap.close()
        finally:
            page.close()


class _Image(Source):
    def __init__(self, image: Any) -> None:
        # A JPEG is one picture, whatever else a telephone packs behind it.
        super().__init__(image.n_frames if image.format == "TIFF" else 1)
        self._image = image

    def _picture(self, number: int) -> Picture:
        image = self._image
        if self.pages > 1:
            image.seek(number - 1)
        if image.width * image.height > MOST_PIXELS:
            raise Unreadable(Trouble.TOO_LARGE)
        image.draft("L", (_LONGEST // 2, _LONGEST // 2))
        grey = _on_white(image)
        longest = max(grey.size)
        if longest > _LONGEST:
            grey = grey.reduce(max(1, round(longest / _LONGEST)))
        return grey


def _on_white(image: Any) -> Picture:
    """In shades of grey; what is transparent is paper, sixteen bits become eight."""
    from PIL import Image

    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        most = image.getextrema()[1]
        factor = 255 / most if most > 255 else 1
        return image.convert("F").point(lambda level: level * factor + 0).convert("L")
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, clear).convert("L")
    return image.convert("L")
