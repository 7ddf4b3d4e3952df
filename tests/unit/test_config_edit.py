"""One more entry in a configuration file, and nothing else changed."""

from __future__ import annotations

import tomllib

import pytest

from monitor.config.edit import NotEditable, block, with_entry

ENTRY = {"name": "new", "type": "feeds", "options": {"url": "https://blog.example/feed", "tags": ["a", "b"]}}

COMMENTED = """\
# The head.
[monitor]
timezone = "UTC"   # and a remark

# What is read.
[[sources]]
name = "first"
[sources.options]   # its own
url = "https://a.example"
# more of the same source

# A hint that belongs to the sources.
#
# [[sources]]
# name = "hinted"

# What is sent.
[[digests]]
name = "daily"
"""


def _inserted(before: str, after: str) -> str:
    """What was set in: everything before and behind it is as it was."""
    start = next(n for n in range(len(after) + 1) if n == len(before) or before[n] != after[n])
    while not after.endswith(before[start:]):
        start -= 1
    return after[start : len(after) - len(before) + start]


def test_an_entry_stands_behind_the_last_of_its_table_and_every_comment_stays_where_it_was() -> None:
    after = with_entry(COMMENTED, "sources", ENTRY)
    assert '# name = "hinted"\n\n[[sources]]\nname = "new"' in after
    assert 'tags = ["a", "b"] }\n\n# What is sent.\n[[digests]]' in after
    assert _inserted(COMMENTED, after).strip() == block("sources", ENTRY).strip()


def test_a_table_that_is_not_there_yet_is_begun_at_the_end() -> None:
    after = with_entry(COMMENTED, "accounts", {"name": "main"})
    assert after == COMMENTED + '\n[[accounts]]\nname = "main"\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[[sources]]\nname = "a"',
        '[[sources]]\nname = "a"\n[[digests]]\nname = "d"\n[[sources]]\nname = "b"\n# tail',
        'sources = [ { name = "a" }, ] # in line\n[monitor]\nworkers = 1\n',
        "sources = []\n",
        '[[sources]]\nname = """\n[[digests]]\n"""\n\n[[digests]]\nname = "d"\n',
        '[[ "sources" ]]\nname = "a"\n\n[ monitor ]\n',
        '[[sources]]\r\nname = "a"\r\n\r\n# d\r\n[[digests]]\r\nname = "d"\r\n',
        "# only a comment",
    ],
)
def test_in_every_layout_the_entry_is_the_last_of_its_table_and_the_rest_reads_as_before(text: str) -> None:
    before = tomllib.loads(text)
    after = with_entry(text, "sources", ENTRY)
    assert tomllib.loads(after) == before | {"sources": [*before.get("sources", []), ENTRY]}
    assert all(line in after for line in text.split("\n") if line.startswith("#"))


def test_line_ends_stay_those_of_the_file() -> None:
    after = with_entry('[[sources]]\r\nname = "a"\r\n', "sources", ENTRY)
    assert after.count("\n") == after.count("\r\n") > 3


def test_values_are_written_so_that_they_read_the_same() -> None:
    entry = {"name": 'a "quoted" \\ name\x7f\n', "on": True, "n": 3, "empty": {}, "a b": {"x.y": [{"z": 1.5}]}}
    assert tomllib.loads(block("t", entry)) == {"t": [entry]}


def test_a_file_that_has_no_place_for_it_is_left_alone_and_the_entry_is_told() -> None:
    with pytest.raises(NotEditable, match=r"add this by hand:\n\[\[sources\]\]"):
        with_entry("[sources]\nname = 1\n", "sources", ENTRY)
