"""Makes the fonts of the declaration (issue 2, item 9): python infra/subset_fonts.py <folder>.

The folder holds NotoSans_400Regular.ttf and NotoSans_700Bold.ttf of Noto Sans 2.015, static, as the
npm package @expo-google-fonts/noto-sans 0.4.2 carries them (SIL Open Font License 1.1, no reserved
font name, so that a subset may keep the name). Hints, kerning and substitutions go: fpdf2 uses none
of them without a shaping library. Run it again only to change what letters a declaration can show.
"""

import hashlib
import sys
from pathlib import Path

from fontTools import subset

TARGET = Path(__file__).parent.parent / "chalicelib/documents/fonts"
SOURCES = {
    "NotoSans_400Regular.ttf": (
        "NotoSans-Regular.ttf",
        "fe8c022f48d8dd29f17b744d16f9346f4357e16f7d4f7be58b000ae7c291b614",
    ),
    "NotoSans_700Bold.ttf": (
        "NotoSans-Bold.ttf",
        "13a813c49624ae3ba3c5c6e72c5ebffc4b9e1e6ea32f421c04069b037c6ad431",
    ),
}
LETTERS = (
    range(0x20, 0x7F),  # Basic Latin
    range(0xA0, 0x180),  # Latin-1 and Latin Extended-A: every language of the EU in Latin script
    (0x18F, 0x259, 0x1A0, 0x1A1, 0x1AF, 0x1B0),  # Azerbaijani, Vietnamese
    range(0x218, 0x21C),  # Romanian
    (*range(0x300, 0x305), *range(0x306, 0x30D), 0x323, *range(0x326, 0x329)),  # loose accents
    range(0x400, 0x500),  # Cyrillic: Russian, Ukrainian, Belarusian, Tatar, Kazakh
    range(0x1E80, 0x1F00),  # Welsh, capital sharp s, Vietnamese
    range(0x2010, 0x2028),  # dashes, quotation marks, bullets, ellipsis
    range(0x2030, 0x203B),  # per mille, primes, angle quotation marks
    (0x2044, 0x20AC, 0x20B4, 0x20B8, 0x20BD, 0x2116, 0x2122, 0x2212),  # signs
    (0xFFFD,),  # what stands for a letter that is missing here
)


def main(folder: Path) -> None:
    """Write the subsets beside their licence; refuses any other version of the fonts."""
    for source, (target, digest) in SOURCES.items():
        raw = (folder / source).read_bytes()
        if hashlib.sha256(raw).hexdigest() != digest:
            raise SystemExit(f"{source}: not the file that this script was written for")
        options = subset.Options(hinting=False, layout_features=[], notdef_outline=True)
        options.glyph_names = True  # a font that has them opens faster
        options.drop_tables += ["GDEF", "GPOS", "GSUB", "STAT", "gasp", "prep"]
        options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # copyright and licence stay in the file
        font = subset.load_font(folder / source, options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[letter for part in LETTERS for letter in part])
        subsetter.subset(font)
        del font["cmap"].tables[:-1]  # the same letters twice, for two platforms
        subset.save_font(font, TARGET / target, options)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
