"""PURE  What somebody wrote in a mail, without what was quoted below it and without the signature. Linear in the mail's length.

Libraries for this go by regular expressions that some mails keep busy for minutes, and take lists for signatures; so the lines
are looked at here one by one. Where nothing would be left (a mail that was only forwarded), the whole mail stays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_LONGEST_INTRO: Final = 400
_INTRO_LINES: Final = 3
_HEADS_LOOKED_AT: Final = 6
_CLOSING_LINES: Final = 6
_LONGEST_LINE_OF_A_CLOSING: Final = 60

_INTROS: Final = (
    ("on ", ("wrote", "writes")),
    ("am ", ("schrieb",)),
    ("le ", ("a écrit", "a ecrit")),
    ("el ", ("escribió", "escribio")),
    ("il ", ("ha scritto",)),
    ("em ", ("escreveu",)),
    ("op ", ("schreef",)),
    ("den ", ("skrev",)),
    ("w dniu ", ("napisał", "pisze")),
    ("dnia ", ("napisał", "pisze")),
    ("", ("написал",)),
)
"""How the line above a quotation begins, and what stands in it; it ends with a colon and names a time or an address."""
_WRITER: Final = re.compile(r"\S{1,80}@\S{1,80}.{0,80} (?:wrote|writes|schrieb|schreef) ?:$", re.IGNORECASE)
_ORIGINAL: Final = re.compile(
    r"[-_*= ]{2,40}(?:original message|forwarded message|original appointment|ursprüngliche nachricht|weitergeleitete nachricht"
    r"|originalnachricht|message d['’]origine|message original|message transféré|mensaje original|mensaje reenviado"
    r"|messaggio originale|messaggio inoltrato|mensagem original|mensagem encaminhada|oorspronkelijk bericht"
    r"|doorgestuurd bericht|wiadomość oryginalna|ursprungligt meddelande)[-_*= :]{0,40}",
    re.IGNORECASE,
)
_BEGIN_FORWARDED: Final = (
    "begin forwarded message",
    "anfang der weitergeleiteten",
    "début du message",
    "inizio messaggio inoltrato",
)
_HEAD: Final = re.compile(r"\*{0,2}([^\W\d_]{1,12})\s?\*{0,2}\s?:")
_FROM: Final = frozenset({"from", "von", "de", "da", "van", "od", "från", "fra", "от"})
_OTHER_HEADS: Final = frozenset(
    word
    for words in (
        "sent date to cc subject gesendet datum an betreff envoyé à objet enviado fecha para asunto inviato data a oggetto",
        "assunto verzonden aan onderwerp wysłano do temat skickat till ämne sendt til emne",
    )
    for word in words.split()
)
_FROM_PHONES: Final = (
    *("sent from my ", "sent from mail for ", "sent from outlook", "sent from yahoo", "sent from proton", "get outlook for "),
    *("sent with ", "sent via ", "von meinem ", "gesendet mit ", "gesendet von ", "gesendet aus ", "diese nachricht wurde von "),
    *("envoyé de mon ", "envoyé depuis ", "enviado desde ", "enviado do meu ", "enviado de mi ", "inviato da "),
    *("verzonden vanaf ", "verstuurd vanaf ", "wysłane z ", "skickat från ", "outlook für ", "outlook pour "),
)  # fmt: skip
_CLOSINGS: Final = frozenset(
    {
        *("best", "best regards", "kind regards", "warm regards", "regards", "best wishes", "all the best", "cheers"),
        *("many thanks", "thanks", "thank you", "thanks in advance", "sincerely", "sincerely yours", "yours sincerely"),
        *("yours truly", "yours faithfully", "with kind regards", "with best regards", "br", "kr", "rgds"),
        *("mit freundlichen grüßen", "mit freundlichen grüssen", "mit freundlichem gruß", "freundliche grüße", "mfg"),
        *("viele grüße", "viele grüsse", "liebe grüße", "beste grüße", "schöne grüße", "herzliche grüße", "vg", "lg"),
        *("cordialement", "bien cordialement", "bien à vous", "salutations", "sincères salutations", "merci d'avance"),
        *("saludos", "saludos cordiales", "un saludo", "atentamente", "cordiali saluti", "distinti saluti", "saluti"),
        *("atenciosamente", "cumprimentos", "abraços", "met vriendelijke groet", "met vriendelijke groeten", "groeten"),
        *("pozdrawiam", "z poważaniem", "med vänliga hälsningar", "vänliga hälsningar", "mvh"),
    }
)
"""They would count as praise."""


def own_words(text: str) -> str:
    """The text without quotations, forwarded mails and signature; all of it where nothing else is in it."""
    lines = text.splitlines()
    kept = _kept(lines)
    words = "\n".join(_without_closing(kept)).strip()
    return words or "\n".join(kept).strip() or text.strip()


def _kept(lines: Sequence[str]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        bare = lines[at].strip()
        if length := _intro(lines, at):
            quoted = _next(lines, at + length)
            if quoted < len(lines) and lines[quoted].lstrip().startswith(">"):
                at = quoted
                continue
            if any(kept):
                break
        if bare.startswith(">"):
            at += 1
            continue
        if any(kept) and _is_delimiter(bare):
            break
        if _ends_the_mail(lines, at):
            return kept if any(kept) else [line.strip() for line in lines[at:]]
        kept += [bare] if bare or kept else []
        at += 1
    return kept


def _next(lines: Sequence[str], at: int) -> int:
    """The next line that is not empty."""
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _intro(lines: Sequence[str], at: int) -> int:
    """How many lines, beginning here, say who wrote what follows; 0: none."""
    joined = ""
    for length in range(1, _INTRO_LINES + 1):
        if at + length > len(lines):
            break
        joined = f"{joined} {lines[at + length - 1].strip().lstrip('> ')}".strip()
        if len(joined) > _LONGEST_INTRO or not joined:
            break
        if joined.endswith(":") and (_says_when(joined.lower()) or (length == 1 and _WRITER.search(joined))):
            return length
    return 0


def _says_when(line: str) -> bool:
    """Is it the line above a quotation, as ``On 1 May, Ana wrote:``?"""
    dated = "@" in line or any(sign.isdigit() for sign in line)
    return dated and any(line.startswith(begin) and any(verb in line for verb in verbs) for begin, verbs in _INTROS)


def _is_delimiter(line: str) -> bool:
    return line == "--" or (len(line) < 100 and line.lower().startswith(_FROM_PHONES))


def _ends_the_mail(lines: Sequence[str], at: int) -> bool:
    """Does another mail begin here, as the programs of offices write it below one's own words?"""
    bare = lines[at].strip()
    if len(bare) > _LONGEST_INTRO:
        return False
    if _ORIGINAL.fullmatch(bare) or bare.lower().startswith(_BEGIN_FORWARDED):
        return True
    if len(bare) >= 10 and not bare.strip("_"):
        at = _next(lines, at + 1)
    return at < len(lines) and _is_head_of_a_mail(lines, at)


def _is_head_of_a_mail(lines: Sequence[str], at: int) -> bool:
    if _head(lines[at]) not in _FROM:
        return False
    following = [_head(line) for line in lines[at + 1 : at + 1 + _HEADS_LOOKED_AT]]
    return len(_OTHER_HEADS.intersection(following)) >= 2


def _head(line: str) -> str:
    found = _HEAD.match(line.strip()[:40])
    return found[1].lower() if found else ""


def _without_closing(lines: Sequence[str]) -> Sequence[str]:
    """Without "Kind regards" and the name below it, where nothing else follows."""
    last = [number for number, line in enumerate(lines) if line][-_CLOSING_LINES:]
    for number in last:
        bare = lines[number].rstrip(" ,.!").lower()
        rest = lines[number:]
        if bare in _CLOSINGS and all(len(line) <= _LONGEST_LINE_OF_A_CLOSING for line in rest):
            return lines[:number]
    return lines
