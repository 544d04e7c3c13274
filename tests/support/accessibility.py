"""What axe-core finds wrong with a page that Chromium shows, against WCAG 2.2 at level AA."""

from typing import TypedDict, cast

from playwright.sync_api import Page

from tests.support.peers import REPOSITORY

AXE = REPOSITORY / "reading_worklist" / "web" / "node_modules" / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# The viewer's frame is other people's page.
RUN = """(levels) => axe.run(
  {exclude: [['.viewer iframe']]},
  {
    runOnly: {type: 'tag', values: levels},
    // An experiment of axe's: it takes the full date that names a day's number for another name.
    rules: {'label-content-name-mismatch': {enabled: false}},
    resultTypes: ['violations'],
    iframes: false,
  },
).then((found) => found.violations)"""


class _Node(TypedDict):
    target: list[str]
    failureSummary: str


class _Violation(TypedDict):
    id: str
    nodes: list[_Node]


def violations(page: Page) -> list[str]:
    """What breaks a rule, one line an element: the rule, where, what axe says of it.

    The page is judged as it stands: what is folded away or not opened is not looked at.
    """
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = cast("list[_Violation]", page.evaluate(RUN, LEVELS))
    return [
        f"{one['id']}: {' '.join(map(str, node['target']))}: "
        + " ".join(node["failureSummary"].split("\n")[1:]).strip()
        for one in found
        for node in one["nodes"]
    ]
