"""The zoo of Pillow, see tests/packs."""

import io

PACK = "pillow"
LIBRARY = "PIL"
IMPORTS = (
    "PIL PIL.Image PIL.ImageFilter PIL.ImagePalette PIL.ImageFont PIL.ImageEnhance PIL.ImageTransform "
    "PIL.PngImagePlugin PIL.TiffImagePlugin PIL.ImageFile PIL.ExifTags PIL.features PIL.ImageCms fractions"
)
SKIPPED = (
    "PIL.ImageTk", "PIL.ImageWin", "PIL.ImageQt", "PIL.ImageShow", "PIL._tkinter_finder", "PIL._typing",
    "PIL.FpxImagePlugin", "PIL.MicImagePlugin",  # which need olefile
)  # fmt: skip
_TOOL = "a tool, not a value"
_READS = "part of a file that is being read or written"
WITHOUT = {
    "PIL.BlpImagePlugin.BLPFormatError": "raised and caught while a file is read",
    "PIL.FontFile": _TOOL,
    "PIL.GimpGradientFile": _TOOL,
    "PIL.Image.Exif": _READS,
    "PIL.ImageEnhance._Enhance": "a base class",
    "PIL.ImageFile": _READS,
    "PIL.ImageFilter.BuiltinFilter": "a base class",
    "PIL.ImageFont": "it opens the file that the stream names, or hands its bytes to a reader of fonts",
    "PIL.ImageMorph": _TOOL,
    "PIL.PdfParser": _READS,
    "PIL.TiffImagePlugin.ImageFileDirectory_v1": _READS,
    "PIL.TiffImagePlugin.ImageFileDirectory_v2": _READS,
    "PIL.TiffTags": _READS,
}
_FORMAT = "an image of a format that this zoo has no file of; its state is that of every other"
KEPT = {
    "PIL.%sImagePlugin" % kind: _FORMAT
    for kind in """
Avif Blp Cur Dcx Eps Fits Fli Fpx Ftex Gbr Imt Iptc McIdas Mic Mpeg Mpo Pcd Pixar Psd Sun XVThumb Xpm
""".split()
}

MODES = "1 L LA La P PA RGB RGBA RGBX RGBa CMYK YCbCr LAB HSV I F I;16 I;16L I;16B".split()
FORMATS = "BMP DDS DIB EPS GIF ICNS ICO IM JPEG JPEG2000 MPO MSP PCX PNG PPM QOI SGI SPIDER TGA TIFF WEBP XBM".split()

VALUES = [("mode." + mode, "image(%r)" % mode) for mode in MODES]
VALUES += [("format." + kind, "opened(%r)" % kind) for kind in FORMATS]
VALUES += [
    ("empty", "PIL.Image.new('RGB', (0, 0))"),
    ("bits.odd", "PIL.Image.new('1', (9, 2), 1)"),
    ("palette", "image('RGB').convert('P', palette=1, colors=8)"),
    ("palette.bytes", "paletted()"),
    ("palette.object", "PIL.ImagePalette.ImagePalette('RGB', [1, 2, 3])"),
    ("palette.wedge", "PIL.ImagePalette.wedge()"),
    ("palette.used", "used()"),
    ("info", "informed()"),
    ("info.png", "texts()"),
    ("info.tiff", "tagged()"),
    ("text.png", "PIL.PngImagePlugin.iTXt('a', 'en', 'b')"),
    ("rational", "PIL.TiffImagePlugin.IFDRational(1, 3)"),
    ("rational.fraction", "PIL.TiffImagePlugin.IFDRational(fractions.Fraction(1, 3))"),
    ("rational.undefined", "PIL.TiffImagePlugin.IFDRational(1, 0)"),
    ("resampling", "PIL.Image.Resampling.BICUBIC"),
    ("transpose", "PIL.Image.Transpose.ROTATE_90"),
    ("transform", "PIL.Image.Transform.AFFINE"),
    ("quantize", "PIL.Image.Quantize.MEDIANCUT"),
    ("dither", "PIL.Image.Dither.FLOYDSTEINBERG"),
    ("palette.kind", "PIL.Image.Palette.WEB"),
    ("tag", "[PIL.ExifTags.Base.Orientation, PIL.ExifTags.GPS.GPSLatitude, PIL.ExifTags.IFD.Exif]"),
    ("tag.others", "[PIL.ExifTags.Interop.InteropIndex, PIL.ExifTags.LightSource.Flash]"),
    ("filter.gaussian", "PIL.ImageFilter.GaussianBlur(3)"),
    ("filter.gaussian.pair", "PIL.ImageFilter.GaussianBlur((3, 1.5))"),
    ("filter.box", "PIL.ImageFilter.BoxBlur(2)"),
    ("filter.unsharp", "PIL.ImageFilter.UnsharpMask()"),
    ("filter.kernel", "PIL.ImageFilter.Kernel((3, 3), tuple(range(9)), 1, 0)"),
    ("filter.rank", "PIL.ImageFilter.RankFilter(3, 4)"),
    ("filter.median", "PIL.ImageFilter.MedianFilter()"),
    ("filter.min", "PIL.ImageFilter.MinFilter()"),
    ("filter.max", "PIL.ImageFilter.MaxFilter()"),
    ("filter.mode", "PIL.ImageFilter.ModeFilter()"),
    ("filter.lut", "PIL.ImageFilter.Color3DLUT.generate(2, lambda r, g, b: (r, g, b))"),
    ("filter.class", "PIL.ImageFilter.BLUR"),
    ("filter.classes", "[getattr(PIL.ImageFilter, name) for name in BUILTIN]"),
    ("filter.made", "PIL.ImageFilter.SHARPEN()"),
    ("transform.affine", "PIL.ImageTransform.AffineTransform((1, 0, 0, 0, 1, 0))"),
    ("transform.mesh", "PIL.ImageTransform.MeshTransform([((0, 0, 1, 1), (0, 0, 0, 1, 1, 1, 1, 0))])"),
    ("transform.extent", "PIL.ImageTransform.ExtentTransform((0, 0, 1, 1))"),
    ("transform.quad", "PIL.ImageTransform.QuadTransform((0, 0, 0, 1, 1, 1, 1, 0))"),
    ("transform.perspective", "PIL.ImageTransform.PerspectiveTransform((1, 0, 0, 0, 1, 0, 0, 0))"),
    ("transform.any", "PIL.ImageTransform.Transform((1, 2))"),
    ("enhance", "PIL.ImageEnhance.Contrast(image('L'))"),
    (
        "enhance.others",
        "[getattr(PIL.ImageEnhance, name)(image('RGB')) for name in ('Brightness', 'Color', 'Sharpness')]",
    ),
    ("font", "PIL.ImageFont.truetype(io.BytesIO(b''))"),
    ("font.default", "PIL.ImageFont.load_default()"),
    ("error", "PIL.UnidentifiedImageError('a')"),
    ("error.bomb", "PIL.Image.DecompressionBombError('a')"),
    ("warning.bomb", "PIL.Image.DecompressionBombWarning('a')"),
    ("cms", "PIL.ImageCms.PyCMSError('a')"),
    ("cms.intent", "[PIL.ImageCms.Intent.PERCEPTUAL, PIL.ImageCms.Direction.INPUT]"),
    ("class", "PIL.Image.Image"),
]
BUILTIN = """
BLUR CONTOUR DETAIL EDGE_ENHANCE EDGE_ENHANCE_MORE EMBOSS FIND_EDGES SHARPEN SMOOTH SMOOTH_MORE
""".split()


def image(mode):
    """A small image with something in it."""
    import PIL.Image

    made = PIL.Image.new(mode, (3, 2))
    made.putpixel((1, 1), 1 if len(made.getbands()) == 1 else tuple(range(1, 1 + len(made.getbands()))))
    return made


def opened(kind):
    """An image as it comes out of a file."""
    import PIL.Image

    file = io.BytesIO()
    for mode in ("RGB", "L", "1", "F"):
        try:
            PIL.Image.new(mode, (16, 16)).save(file, kind)
        except (OSError, ValueError):
            continue
        break
    file.seek(0)
    found = PIL.Image.open(file)
    found.load()
    return found


def paletted():
    """A palette that was given as bytes."""
    made = image("P")
    made.putpalette(bytes(bytearray(range(256)) * 3))
    return made


def used():
    """A palette that has been asked for colours."""
    import PIL.ImagePalette

    palette = PIL.ImagePalette.ImagePalette("RGB", list(range(256)) * 3)
    palette.getcolor((1, 1, 1))
    return palette


def informed():
    """An image with what plug-ins put beside it."""
    made = image("P")
    made.info.update(
        dpi=(72, 72),
        comment=b"a",
        transparency=0,
        gamma=0.45,
        icc_profile=b"p",
        version="GIF89a",
        duration=100,
        loop=0,
        background=1,
        progressive=1,
        exif=b"Exif",
        interlace=None,
    )
    return made


def texts():
    """A PNG image with texts."""
    import PIL.Image
    from PIL import PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    texts.add_text("a", "b")
    texts.add_itxt("c", "d", "en", "e")
    file = io.BytesIO()
    PIL.Image.new("L", (2, 2)).save(file, "PNG", pnginfo=texts, dpi=(72, 72))
    file.seek(0)
    found = PIL.Image.open(file)
    found.load()
    return found


def tagged():
    """A TIFF image, whose resolution is a fraction."""
    import PIL.Image

    file = io.BytesIO()
    PIL.Image.new("L", (2, 2)).save(file, "TIFF", dpi=(72, 72), description="a")
    file.seek(0)
    found = PIL.Image.open(file)
    found.load()
    return found
