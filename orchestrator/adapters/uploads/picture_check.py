"""Decodes pictures to see whether they can be decoded, and measures them while they are open; started as a program of
its own, because a decoder can be made to eat memory, spin or crash. Reads a request as JSON on stdin, answers one JSON
line a picture.

It imports nothing of ours, so that it starts quickly and needs only this file.
"""

from __future__ import annotations

import errno
import json
import resource
import sys
import warnings
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIX_BY_FORMAT = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp"}
_ONE_PICTURE_FORMATS = ("JPEG", "MPO")  # an MPO's further frames are previews; readers take the first
_PREVIEW_SIDE = 512  # pixels
_PREVIEW_QUALITY = 80
_HASH_SIZE = (9, 8)
# Without metadata a picture is written anew: PNG keeps every pixel, the others nearly so. (Lossless WebP of 40 million
# pixels takes minutes and more memory than there is.)
_CLEAN_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG", "compress_level": 3},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".webp": {"format": "WEBP", "quality": 95, "method": 2},
}

# Decoders raise OSErrors too, but not these.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

_HEAD_BYTES = 16
_SIGNATURES = {
    b"GIF8": "a GIF",
    b"BM": "a BMP picture",
    b"II*\x00": "a TIFF picture or a camera's raw one",
    b"MM\x00*": "a TIFF picture or a camera's raw one",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip archive or a document",
    b"<": "an SVG or a web page",
}
_HEIC, _AVIF = "a HEIC picture, as iPhones take them", "an AVIF picture"
_BRANDS = {b"heic": _HEIC, b"heix": _HEIC, b"mif1": _HEIC, b"msf1": _HEIC, b"avif": _AVIF, b"avis": _AVIF}

File = str | BinaryIO


def examine(
    picture: File, max_pixels: int, *, preview: File, clean: File | None = None, preview_side: int = _PREVIEW_SIDE
) -> dict[str, Any]:
    """`suffix`, `width`, `height`, `sharpness` and `dhash` of a picture that decodes, or `problem`, the end of a
    sentence, or `errno` when it was the disk that said no.

    Writes a small JPEG of it to `preview`; to `clean`, where that is asked for, the picture itself, upright and without
    any metadata but its colour profile.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(picture, max_pixels, preview, clean, preview_side)
    except MemoryError:
        return {"problem": "needs too much memory"}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"problem": f"has more than {max_pixels} pixels"}
    except OSError as error:
        return {"errno": error.errno} if error.errno in _DISK_ERRORS else _unreadable(picture, error)
    except Exception as error:  # noqa: BLE001 - decoders raise anything, and all of it means the same
        return _unreadable(picture, error)


def _decode(picture: File, max_pixels: int, preview: File, clean: File | None, side: int) -> dict[str, Any]:
    with Image.open(picture, formats=["PNG", "JPEG", "WEBP"]) as image:
        width, height = image.size
        if width * height > max_pixels:
            return {"problem": f"has {width} x {height} pixels; {max_pixels} in all are allowed"}
        if image.format not in _ONE_PICTURE_FORMATS and getattr(image, "is_animated", False):
            return {"problem": "is animated"}
        suffix = SUFFIX_BY_FORMAT[str(image.format)]
        image.verify()
    if not isinstance(picture, str):
        picture.seek(0)
    with Image.open(picture, formats=["PNG", "JPEG", "WEBP"]) as image:
        image.load()
        width, height = _displayed_size(image)
        if clean is not None:
            _write_clean(image, clean, suffix)
        small = _small(image, side)
    small.save(preview, format="JPEG", quality=_PREVIEW_QUALITY)
    grey = small.convert("L")
    return {"suffix": suffix, "width": width, "height": height, "sharpness": _sharpness(grey), "dhash": _dhash(grey)}


def _unreadable(picture: File, error: Exception) -> dict[str, Any]:
    finding = _kind(_head(picture)) if isinstance(error, UnidentifiedImageError) else "it is damaged or cut off"
    return {"problem": f"is not a readable PNG, JPEG or WebP picture ({finding})"}


def _head(picture: File) -> bytes:
    if isinstance(picture, str):
        with open(picture, "rb") as file:  # noqa: PTH123 - this program starts sooner without pathlib
            return file.read(_HEAD_BYTES)
    picture.seek(0)
    return picture.read(_HEAD_BYTES)


def _kind(head: bytes) -> str:
    """What people send instead, by its first bytes."""
    if not head:
        return "it is empty"
    if head[4:8] == b"ftyp":
        kind = _BRANDS.get(head[8:12])
    else:
        kind = next((name for signature, name in _SIGNATURES.items() if head.startswith(signature)), None)
    return f"it is {kind}; save it as JPEG or PNG" if kind else "it is something else"


def _displayed_size(image: Image.Image) -> tuple[int, int]:
    """EXIF orientations 5 to 8 turn a picture by a quarter."""
    is_turned = image.getexif().get(0x0112, 1) in range(5, 9)
    return (image.height, image.width) if is_turned else image.size


def _write_clean(image: Image.Image, target: File, suffix: str) -> None:
    upright = ImageOps.exif_transpose(image)
    profile = image.info.get("icc_profile")
    kept: dict[Any, Any] = {key: upright.info[key] for key in ("transparency", "background") if key in upright.info}
    upright.info = kept  # what Pillow would write back: comments, EXIF, XMP
    upright.getexif().clear()
    upright.save(target, icc_profile=profile, **_CLEAN_OPTIONS[suffix])


def _small(image: Image.Image, side: int) -> Image.Image:
    """An upright RGB copy on white, at most so many pixels a side; never enlarged."""
    if image.mode == "P" or (image.mode not in ("RGBA", "LA") and image.has_transparency_data):
        image = image.convert("RGBA")
    image.thumbnail((side, side), Image.Resampling.BOX)
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16-bit grey: Pillow's own conversion would clip it to white
        upright = Image.fromarray((np.asarray(upright, np.float32) / 257).clip(0, 255).astype(np.uint8))
    if upright.has_transparency_data:
        layered = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    small = upright.convert("RGB")
    small.info = {}
    return small


def _sharpness(grey: Image.Image) -> float:
    """Variance of the Laplacian: how much a pixel differs from its four neighbours."""
    pixels = np.asarray(grey, np.float32)
    if min(pixels.shape) < 3:  # noqa: PLR2004 - the operator's own width
        return 0.0
    centre = pixels[1:-1, 1:-1]
    laplacian = pixels[:-2, 1:-1] + pixels[2:, 1:-1] + pixels[1:-1, :-2] + pixels[1:-1, 2:] - 4 * centre
    return round(float(laplacian.var()), 2)


def _dhash(grey: Image.Image) -> str:
    """64 bits in hex: two pictures that look alike differ in few of them."""
    pixels = np.asarray(grey.resize(_HASH_SIZE, Image.Resampling.BOX), np.int16)
    return np.packbits(pixels[:, 1:] > pixels[:, :-1]).tobytes().hex()


def main() -> None:
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for paths in request["pictures"]:
        finding = examine(
            paths["picture"],
            request["max_pixels"],
            preview=paths["preview"],
            clean=paths.get("clean"),
            preview_side=request["preview_side"],
        )
        print(json.dumps(finding), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
