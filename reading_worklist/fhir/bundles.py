"""Bundles of a search and of a history, with links that stay what they are (R4 §3.1.1.3)."""

from collections.abc import Sequence
from urllib.parse import urlencode

from reading_worklist.fhir.parameters import Search
from reading_worklist.fhir.store import Found, Page
from storage.clock import utc_now
from storage.fhir.elements import Element, element, instant


def search_set(page: Page, search: Search, base: str) -> Element:
    """Return the Bundle of a search; its link `next` leads on from the last match.

    Whoever follows it to the end has everything that matched when he began, and whatever was issued
    meanwhile.
    """
    entries = [_entry(one, base, mode="match") for one in page.found]
    entries += [_entry(one, base, mode="include") for one in page.included]
    asked = [(name, value) for name, value in search.asked if name != "_cursor"]
    links = [_link("self", f"{base}/{search.kind}", search.asked)]
    if page.next is not None:
        links.append(_link("next", f"{base}/{search.kind}", [*asked, ("_cursor", str(page.next))]))
    return _bundle("searchset", links, entries, total=page.total)


def history(
    found: Sequence[Found], links: Sequence[tuple[str, str, Sequence[tuple[str, str]]]], base: str
) -> Element:
    """Return the Bundle of a history. links: relation, address and parameters of each."""
    entries: list[Element] = []
    for one in found:
        entry = _entry(one, base)
        # The first of a report was new, every later one took its place (R4 §3.1.0.9).
        status = "201" if one.resource and one.resource["meta"]["versionId"] == "1" else "200"
        entry["request"] = {
            "method": "POST" if status == "201" else "PUT",
            "url": one.kind if status == "201" else f"{one.kind}/{one.id}",
        }
        entry["response"] = {
            "status": status,
            "etag": etag(one),
            "lastModified": instant(one.at),
        }
        entries.append(entry)
    return _bundle("history", [_link(*link) for link in links], entries, total=None)


def etag(found: Found) -> str:
    """Return the weak ETag of a version (R4 §3.1.0.3)."""
    return f'W/"{found.resource["meta"]["versionId"] if found.resource else 0}"'


def _entry(one: Found, base: str, *, mode: str = "") -> Element:
    return element(
        fullUrl=f"{base}/{one.kind}/{one.id}",
        resource=one.resource,
        search={"mode": mode} if mode else None,
    )


def _link(relation: str, address: str, parameters: Sequence[tuple[str, str]]) -> Element:
    query = f"?{urlencode(parameters)}" if parameters else ""
    return {"relation": relation, "url": f"{address}{query}"}


def _bundle(
    kind: str, links: list[Element], entries: list[Element], *, total: int | None
) -> Element:
    return element(
        resourceType="Bundle",
        type=kind,
        timestamp=instant(utc_now()),
        total=total,
        link=links,
        entry=entries,
    )
