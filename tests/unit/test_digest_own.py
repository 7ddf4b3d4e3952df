"""Own templates see what the built-in ones see, reach nothing else, and say where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.digest import layout, own
from monitor.digest.own import TemplateFault
from monitor.figures import Report
from tests.unit import digest_reports as made
from tests.unit import digest_telling as full
from tests.unit.digest_hostile import ATTACKS, Outline, as_html, filled, view

LIST = "{% for brand, sentence in page.headlines %}<p>{{ brand }}: {{ sentence }}</p>{% endfor %}"


def render(folder: Path, template: str, form: str = "html", report: Report | None = None) -> str:
    (folder / f"digest.{form}.j2").write_text(template, encoding="utf-8")
    report = report or made.report(full.telling())
    return own.render(folder, form, layout.page(report, made.VIEW), report)


def test_a_template_takes_the_place_of_one_form_alone(tmp_path: Path) -> None:
    (tmp_path / "digest.md.j2").write_text("x", encoding="utf-8")
    assert [form for form in ("html", "txt", "md", "json", "slack") if own.has(tmp_path, form)] == ["md"]


def test_a_template_has_the_page_the_figures_and_the_built_in_parts(tmp_path: Path) -> None:
    template = (
        '{% import "parts.html.j2" as parts %}<style>{% include "style.css" %}</style>'
        '{{ page.title }} {{ report.brands[0].social.total }} {{ parts.bar(page.brands[0].scores[0].bar | cells) }}'
        '{{ page.brands[0].volume | pieces }}'
    )  # fmt: skip
    document = render(tmp_path, template)
    assert "weekly 412" in document
    assert "430 mentions" in document
    assert 'style="background: #2f74b8' in document or "style=" in document
    assert render(tmp_path, "{{ page.title | wrap }}\n\n\n\n{{ report.window.label }}", "txt") == "weekly\n\n2026-W46\n"


@pytest.mark.parametrize("words", ATTACKS, ids=range(len(ATTACKS)))
def test_hostile_words_are_escaped_in_own_templates_too(tmp_path: Path, words: str) -> None:
    for form, template in (("html", f"{LIST}<p>{{{{ report.brands[1].top_items.negative[0].text }}}}</p>"),
                           ("md", "{% for brand, _ in page.headlines %}\n- {{ brand }}\n{% endfor %}")):  # fmt: skip
        tame, wild = (
            Outline(as_html(form, own_words(tmp_path, template, form, one)))  # type: ignore[arg-type]
            for one in ("tame", words)
        )
        assert wild.tags == tame.tags
        assert wild.oddities == tame.oddities


def own_words(folder: Path, template: str, form: str, words: str) -> str:
    (folder / f"digest.{form}.j2").write_text(template, encoding="utf-8")
    report = filled(full.everything(), words)
    return own.render(folder, form, layout.page(report, view(words, linked=False)), report)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("one\n{% for x in %}", "digest.html.j2, line 2: Expected an expression, got 'end of statement block'"),
        ("one\ntwo\n{{ page.nothing }}", "digest.html.j2, line 3: "),
        ("{{ 1 / 0 }}", "digest.html.j2, line 1: ZeroDivisionError"),
        ("{{ report.brands[0].brand + 1 }}", "digest.html.j2, line 1: TypeError"),
        ("x\n{% include 'more.html.j2' %}", "more.html.j2"),
        ("{% include 'digest.html.j2' %}", "digest.html.j2, line 1: includes itself without an end"),
        ("{% for x in range(99999) %}{{ 'too much ' * 999 }}{% endfor %}", "digest.html.j2: makes more than"),
    ],
    ids=["syntax", "unknown", "division", "types", "missing", "endless", "large"],
)  # fmt: skip
def test_a_fault_names_its_file_and_line(tmp_path: Path, template: str, said: str) -> None:
    with pytest.raises(TemplateFault) as fault:
        render(tmp_path, template)
    assert said in str(fault.value)
    assert str(fault.value).isprintable()


def test_a_fault_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "more.html.j2").write_text("\n\n{{ page.nothing }}", encoding="utf-8")
    with pytest.raises(TemplateFault, match=r"^more\.html\.j2, line 3: "):
        render(tmp_path, "{% include 'more.html.j2' %}")


def test_a_fault_quotes_no_item(tmp_path: Path) -> None:
    with pytest.raises(TemplateFault) as fault:
        render(tmp_path, "{{ report.brands[0].top_items.negative[0].text | int(base='x') + [] }}")
    assert "notebooks" not in str(fault.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ page.__class__.__mro__ }}",
        "{{ ''.__class__.__base__.__subclasses__() }}",
        "{{ report.update({'a': 1}) }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{% include '../secrets.env' %}",
        "{% include '/etc/hostname' %}",
    ],
)
def test_a_template_reaches_nothing_but_what_it_is_given(tmp_path: Path, template: str) -> None:
    (tmp_path / "secrets.env").write_text("SECRET", encoding="utf-8")
    folder = tmp_path / "own"
    folder.mkdir()
    with pytest.raises(TemplateFault):
        render(folder, template)
