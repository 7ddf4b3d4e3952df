"""GET where the body of a refusal tells more than its status, as with platforms that answer 400 to everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from connectors.errors import Malformed, SourceError
from connectors.http import Answer, HttpClient, fate_of, host_of

Judge = Callable[[Answer], SourceError | None]
"""The fate that a refusal means, read from its body; ``None`` leaves it to the status."""


def ask(
    http: HttpClient,
    url: str,
    params: Mapping[str, str | int] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    judge: Judge,
) -> Answer:
    """The answer, if it is a good one (2xx); redirects are followed as in :meth:`HttpClient.get`. Raises a fate."""
    address = f"{url}?{_encoded(params)}" if params else url
    answer = http.send("GET", address, headers=headers or {})
    if 300 <= answer.status < 400:
        return http.get(address, headers=headers)
    if 200 <= answer.status < 300:
        return answer
    raise judge(answer) or fate_of(answer.status, answer.headers, host_of(answer.url), http.now())


def _encoded(params: Mapping[str, str | int]) -> str:
    try:
        return urlencode(params)
    except UnicodeError:
        raise Malformed("the address holds letters that cannot be sent") from None


def said(answer: Answer) -> Mapping[str, object]:
    """The JSON object that a refusal says, an empty one if it says none."""
    try:
        body = answer.json()
    except SourceError:
        return {}
    return body if isinstance(body, Mapping) else {}
