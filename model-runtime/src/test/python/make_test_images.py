"""Writes the test images that Java cannot write: four quarters of red, green, blue and yellow.

Run it from anywhere: `python make_test_images.py`; needs Pillow.
"""

from pathlib import Path

from PIL import Image

TARGET = Path(__file__).parent.parent / "resources/io/tagstream/model/image"
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def quarters(width: int, height: int, colours) -> Image.Image:
    image = Image.new("RGB", (width, height))
    for index, colour in enumerate(colours):
        left, top = index % 2 * (width // 2), index // 2 * (height // 2)
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    upright = quarters(64, 64, (RED, GREEN, BLUE, YELLOW))
    upright.convert("CMYK").save(TARGET / "cmyk.jpg", quality=90)
    upright.save(
        TARGET / "animated.webp",
        save_all=True,
        append_images=[quarters(64, 64, (BLUE, BLUE, RED, RED))],
        duration=100,
        lossless=True,
    )
    # orientation 6: turn a quarter clockwise
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[274] = 6
    turned.save(TARGET / "turned.webp", lossless=True, exif=exif)
    turned.save(TARGET / "turned.png", exif=exif)
    turned.save(TARGET / "turned.tiff", compression="tiff_lzw", exif=exif)
    upright.save(TARGET / "progressive.jpg", quality=90, progressive=True)


if __name__ == "__main__":
    main()
