"""Decodes pictures to see whether they can be decoded; started as a program of its own, because a decoder can be made
to eat memory, spin or crash. Reads a request as JSON on stdin, answers one JSON line a picture.

It imports nothing of ours, so that it starts quickly and needs only this file.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from typing import Any, BinaryIO

from PIL import Image

SUFFIX_BY_FORMAT = {"PNG": ".png", "JPEG": ".jpg", "MPO": ".jpg", "WEBP": ".webp"}
_ONE_PICTURE_FORMATS = ("JPEG", "MPO")  # an MPO's further frames are previews; readers take the first


def examine(picture: str | BinaryIO, max_pixels: int) -> dict[str, Any]:
    """`suffix`, `width` and `height` of a picture that decodes, or `problem`, the end of a sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(picture, max_pixels)
    except MemoryError:
        return {"problem": "needs too much memory"}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return {"problem": f"has more than {max_pixels} pixels"}
    except Exception as error:  # noqa: BLE001 - decoders raise anything, and all of it means the same
        return {"problem": f"is not a readable PNG, JPEG or WebP picture ({type(error).__name__})"}


def _decode(picture: str | BinaryIO, max_pixels: int) -> dict[str, Any]:
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
    return {"suffix": suffix, "width": width, "height": height}


def main() -> None:
    request = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu_seconds"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for path in request["paths"]:
        print(json.dumps(examine(path, request["max_pixels"])), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
