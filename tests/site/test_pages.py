"""What every page keeps to, read without a browser."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "static_site"
PAGES = sorted(SITE.glob("*.html"))
SCRIPTS = sorted(SITE.glob("js/**/*.mjs"))
LANGUAGES = ("en", "pl", "ru")
PLURALS = {
    "en": {"one", "other"},
    "pl": {"one", "few", "many", "other"},
    "ru": {"one", "few", "many", "other"},
}
VOID = {"meta", "link", "input", "br", "hr", "img"}


@dataclass
class Element:
    """One element, the text directly and indirectly in it, and the template that it belongs to."""

    tag: str
    attrs: dict[str, str]
    template: str | None
    text: str = ""


@dataclass
class Document(HTMLParser):
    """A page as a flat list of its elements, in order."""

    source: str
    elements: list[Element] = field(default_factory=list)
    doctype: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[Element] = []
        self.feed(self.source)
        assert self.open == [], "unclosed elements"

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        template = next((e.attrs["id"] for e in self.open if e.tag == "template"), None)
        element = Element(tag, {name: value or "" for name, value in attrs}, template)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        """The elements of these tags; all elements where none is named."""
        return [each for each in self.elements if not tags or each.tag in tags]

    def having(self, attribute: str) -> list[Element]:
        """The elements with this attribute."""
        return [each for each in self.elements if attribute in each.attrs]


def words(language: str) -> dict[str, str]:
    """The sentences of one language; a key that comes twice is a mistake."""

    def once(pairs: list[tuple[str, str]]) -> dict[str, str]:
        assert len(dict(pairs)) == len(pairs), "a key comes twice"
        return dict(pairs)

    text = (SITE / "locales" / f"{language}.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text, object_pairs_hook=once)
    return found


def sentence(key: str, language: str) -> str:
    """The sentence of a key, in the plural where it counts."""
    known = words(language)
    return known[key] if key in known else known[f"{key}.other"]


def stem(key: str) -> str:
    """The key without its plural form."""
    return re.sub(r"\.(one|few|many|other)$", "", key)


def flat(text: str) -> str:
    """The text as a browser shows it: breaks and indentation are one space."""
    return " ".join(text.split())


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def document(request: pytest.FixtureRequest) -> Document:
    """Each page in turn."""
    return Document(request.param.read_text(encoding="utf-8"))


def test_these_are_the_pages() -> None:
    assert {page.name for page in PAGES} >= {
        "404.html",
        "accessibility.html",
        "c.html",
        "complaint.html",
        "index.html",
        "information.html",
        "insured.html",
        "privacy.html",
        "status.html",
    }


def test_a_page_names_its_language_and_obeys_the_readers_zoom(document: Document) -> None:
    """R25: language, title and an unrestricted viewport."""
    assert document.doctype == "doctype html"
    assert document.all("html")[0].attrs["lang"] == "en"
    assert len(document.all("title")) == 1
    assert flat(document.all("title")[0].text)
    (viewport,) = [e for e in document.all("meta") if e.attrs.get("name") == "viewport"]
    assert viewport.attrs["content"] == "width=device-width, initial-scale=1"


def test_a_page_and_each_of_its_screens_has_one_h1_that_comes_first(document: Document) -> None:
    """R25: the heading to which the focus goes."""
    screens = {e.attrs["id"] for e in document.all("template") if "screen" in e.attrs["id"]}
    for part in {None, *screens}:
        headings = [e.tag for e in document.all("h1", "h2", "h3", "h4") if e.template == part]
        assert headings.count("h1") == 1, part
        assert headings[0] == "h1", part


def test_the_first_thing_on_a_page_leads_past_its_head(document: Document) -> None:
    """R25: a skip link."""
    first = document.all("a", "button", "input", "summary")[0]
    assert first.attrs["href"] == "#main-content"
    (main,) = document.all("main")
    assert main.attrs["id"] == "main-content"


def test_every_control_has_a_name(document: Document) -> None:
    """R25: labels, legends and texts of buttons."""
    labelled = {e.attrs["for"] for e in document.all("label")}
    for control in document.all("input", "select", "textarea"):
        assert control.attrs["id"] in labelled
    assert len(document.all("fieldset")) == len(document.all("legend"))
    for named in document.all("button", "summary", "label", "legend"):
        assert flat(named.text)
    for group in [e for e in document.elements if e.attrs.get("role") == "group"]:
        assert group.attrs["aria-label"]


def test_ids_are_unique_and_references_lead_somewhere(document: Document) -> None:
    """R25."""
    ids = [e.attrs["id"] for e in document.having("id")]
    assert len(ids) == len(set(ids))
    for attribute in ("aria-describedby", "aria-labelledby", "for"):
        for element in document.having(attribute):
            assert set(element.attrs[attribute].split()) <= set(ids)


def test_a_page_holds_no_script_style_or_address_of_others(document: Document) -> None:
    """R18: nothing inline, nothing from elsewhere."""
    assert document.all("style") == []
    for element in document.elements:
        assert not [name for name in element.attrs if name == "style" or name.startswith("on")]
        for attribute in ("src", "href", "action"):
            value = element.attrs.get(attribute, "/")
            assert re.match(r"[/#](?!/)", value), value
    for script in document.all("script"):
        assert script.attrs["type"] == "module"
        assert script.attrs["src"].startswith("/js/")
        assert script.text == ""


def test_what_a_page_refers_to_exists(document: Document) -> None:
    for element in document.elements:
        for path in (element.attrs.get("src"), element.attrs.get("href")):
            if path and path.startswith("/") and path != "/":
                assert (SITE / path.lstrip("/")).is_file(), path


def test_a_form_would_post_and_leaves_checking_to_us(document: Document) -> None:
    """R2, D14."""
    for form in document.all("form"):
        assert form.attrs["method"] == "post"
        assert form.attrs["action"]
        assert "novalidate" in form.attrs


def test_no_radio_is_chosen_beforehand(document: Document) -> None:
    """R4, D11, D14."""
    for control in document.all("input"):
        assert "checked" not in control.attrs


def test_a_link_to_a_new_tab_says_so(document: Document) -> None:
    """R25: the confirm page holds the token in memory alone, so its links must not leave it."""
    for link in document.all("a"):
        opens = link.attrs.get("target") == "_blank"
        assert opens == link.attrs.get("data-i18n", "").endswith("_new_tab")
        assert not opens or link.attrs["rel"] == "noopener noreferrer"


def test_the_words_in_a_page_are_the_english_ones(document: Document) -> None:
    """S38: every `data-i18n` is a sentence in every language; the page shows the English one."""
    for element in document.having("data-i18n"):
        key = element.attrs["data-i18n"]
        assert flat(element.text) == sentence(key, "en"), key
        assert all(sentence(key, language) for language in LANGUAGES)
    for element in document.having("data-i18n-label"):
        assert element.attrs["aria-label"] == sentence(element.attrs["data-i18n-label"], "en")


def test_words_that_need_no_script_are_there_in_all_languages(document: Document) -> None:
    """R25: before and without scripts the page speaks all three languages."""
    spoken: dict[str, set[str]] = {}
    for element in document.having("data-in"):
        key, language = element.attrs["data-in"], element.attrs["lang"]
        assert flat(element.text) == sentence(key, language)
        spoken.setdefault(key, set()).add(language)
    assert all(languages == set(LANGUAGES) for languages in spoken.values())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("c", {"noscript.text", "loading.heading", "loading.slow"}),
        ("complaint", {"complaint.noscript", "opening.heading", "opening.slow"}),
        ("status", {"link.noscript", "opening.heading", "opening.slow"}),
        ("insured", {"link.noscript", "opening.heading", "opening.slow"}),
        ("information", {"information.noscript", "opening.heading", "opening.slow"}),
    ],
)
def test_without_javascript_the_page_names_another_way(name: str, said: set[str]) -> None:
    """R25: reply, post and telephone."""
    page = (SITE / f"{name}.html").read_text(encoding="utf-8")
    assert page.count("<noscript>") == 2
    assert said == set(re.findall(r'data-in="([^"]+)"', page))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_sentence_with_the_same_values(language: str) -> None:
    """S38."""
    english, other = words("en"), words(language)
    assert {stem(key) for key in english} == {stem(key) for key in other}
    for key, text in other.items():
        assert text == text.strip() != ""
        placeholders = set(re.findall(r"%\{(\w+)\}", text))
        assert placeholders == set(re.findall(r"%\{(\w+)\}", sentence(stem(key), "en"))), key
    counted = {stem(key) for key in other if stem(key) != key}
    for key in counted:
        assert {k.rpartition(".")[2] for k in other if stem(k) == key} == PLURALS[language]


def test_every_sentence_is_used() -> None:
    """A sentence that nothing shows is a sentence that nobody checks."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (*PAGES, *SCRIPTS))
    unused = [key for key in words("en") if f'"{stem(key)}"' not in sources]
    assert unused == []


@pytest.mark.parametrize(
    ("name", "scripts", "pieces"),
    [
        ("c", ("confirm", "outcome"), {"answer", "error-summary"}),
        ("complaint", ("complaint-page",), {"attachment", "error-summary"}),
        ("status", ("status-page", "linked-page", "outcome"), {"attachment", "error-summary"}),
        ("insured", ("insured-page", "linked-page", "outcome"), {"error-summary"}),
        ("information", ("information-page",), {"warning", "contact", "row"}),
    ],
)
def test_every_screen_that_a_script_shows_has_its_template(
    name: str, scripts: tuple[str, ...], pieces: set[str]
) -> None:
    page = Document((SITE / f"{name}.html").read_text(encoding="utf-8"))
    made = {e.attrs["id"].removeprefix("screen-") for e in page.all("template")}
    source = "".join((SITE / f"js/{each}.mjs").read_text(encoding="utf-8") for each in scripts)
    shown = set(re.findall(r'(?:\.show|\.end)\("(\w+)"', source))
    shown |= set(re.findall(r'link_\w+: "(\w+)"', source))
    assert shown | pieces == made


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_checked_and_keeps_its_hands_off(script: Path) -> None:
    """R18: no markup from text, no cookie, nobody else's address; storage for the draft alone."""
    source = script.read_text(encoding="utf-8")
    assert source.startswith("// @ts-check\n")
    if script.name == "draft.mjs":
        assert source.count("localStorage") == 1
        source = source.replace("localStorage", "")
    for banned in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "localStorage",
        "sessionStorage",
        "indexedDB",
        "document.cookie",
        "sendBeacon",
        "://",
    ):
        assert banned not in source
    for imported in re.findall(r'^import .*?from "([^"]+)"', source, re.MULTILINE | re.DOTALL):
        assert re.fullmatch(r"\./[\w/-]+\.mjs", imported)


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        (
            "altcha-pbkdf2.js",  # altcha 3.2.2 on npm, dist/workers/pbkdf2.js
            "7862add9c9d3d847ded3da928edcf406b46478754b9883351111414825b9c86f",
        ),
    ],
)
def test_what_others_wrote_is_as_they_published_it(name: str, sha256: str) -> None:
    """R18: vendored with its licence, byte for byte, and named in NOTICE with its digest."""
    vendor = SITE / "js/vendor"
    assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == sha256
    assert {each.name for each in vendor.iterdir()} == {name, "altcha-LICENSE.txt"}
    notice = (SITE.parent / "NOTICE").read_text(encoding="utf-8")
    assert sha256 in notice
    assert f"static_site/js/vendor/{name}" in notice


def test_styles_come_from_us_alone() -> None:
    """R18."""
    for sheet in SITE.glob("css/*.css"):
        source = sheet.read_text(encoding="utf-8")
        assert "@import" not in source
        assert "url(" not in source
