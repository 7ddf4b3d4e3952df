"""What happened is written down, stands beside the scores, and is taken away again."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Home

CONFIG = """
[monitor]
database = "sqlite:///monitor.db"
timezone = "Europe/Berlin"
[[brands]]
name = "Acme"
[[brands]]
name = "Rival"
[[annotations]]
text = "fair"
at = 2026-03-01
brands = ["Rival"]
"""


def test_an_annotation_is_written_down_listed_and_removed(home: Home) -> None:
    home.write(CONFIG)
    added = home.json("annotate", "release 2.0", "--at", "2026-03-02T09:00", "--brand", "Acme", "--by", "Ann")
    assert (added["text"], added["at"], added["brand"]) == ("release 2.0", "2026-03-02T08:00:00Z", "Acme")
    home.run("annotate", "holiday", "--at", "2026-03-05", "--until", "2026-03-07")
    listed = home.json("annotate", "--list")["annotations"]
    assert [(one["text"], one["brand"], one["id"]) for one in listed] == [
        ("fair", "Rival", None),
        ("release 2.0", "Acme", added["id"]),
        ("holiday", None, added["id"] + 1),
    ]
    assert "annotation 1: release 2.0, Mon 2 Mar, 09:00 2026, Acme" in home.run("annotate", "--list").stdout
    scores = home.run("scores", "--since", "2026-03-01", "--until", "2026-03-08").stdout
    assert "release 2.0, Mon 2 Mar, 09:00" in scores
    assert "fair, Sun 1 Mar, 00:00" in scores
    assert home.json("annotate", "--remove", "1") == {"removed": 1}
    assert len(home.json("annotate", "--list", "--brand", "Acme")["annotations"]) == 1


def test_faulty_calls_say_what_is_wrong(home: Home) -> None:
    home.write(CONFIG)
    assert "--list" in home.run("annotate", code=2).stderr
    assert "--at" in home.run("annotate", "release", code=2).stderr
    assert "not understood" in home.run("annotate", "release", "--at", "soon", code=2).stderr
    assert "turn them round" in home.run("annotate", "x", "--at", "2026-03-05", "--until", "2026-03-04", code=2).stderr
    assert "no brand" in home.run("annotate", "x", "--at", "2026-03-05", "--brand", "Nobody", code=2).stderr
    assert "is empty" in home.run("annotate", " \x1b ", "--at", "2026-03-05", code=2).stderr
    assert "there is none" in home.run("annotate", "--remove", "7", code=1).stderr


def test_the_demo_shows_the_drop_beside_the_release(home: Home, tmp_path: Path) -> None:
    printed = home.run("demo", "--once").stdout
    (line,) = (line for line in printed.splitlines() if "release 2.0" in line)
    assert "the 7 days before and after it" in line
    assert "clearly worse" in line
    assert "does not say why it moved" in printed
