"""Whatever is lost or late on the way, a receiver shows what stands and nothing else.

The receiver here does what v2.5.1 says of OBX-11 and knows a repeat by MSH-10.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from pacs_gateway.returns.hl7_report import MessageSettings, WrittenMessage, write_messages
from storage.issued_reports import IssuedReport, IssuedSection, SectionLabel
from storage.report_status import IssuedKind
from tests.support.issued import issued_ecg, issued_report

PLAIN = MessageSettings(application="RDC")
HERE = UUID(int=7)
Place = tuple[str, str, str]
Known = tuple[str, str]


@dataclass
class Ward:
    """What a site's system shows: by patient and order the value of each observation."""

    shown: dict[Place, dict[Known, str]] = field(default_factory=dict[Place, dict[Known, str]])
    seen: set[str] = field(default_factory=set[str])

    def take(self, messages: Sequence[WrittenMessage]) -> None:
        for one in messages:
            if one.control_id not in self.seen:
                self.seen.add(one.control_id)
                self._file(one.content.decode())

    def _file(self, message: str) -> None:
        place: Place = ("", "", "")
        for segment in message.split("\r"):
            name, *values = segment.split("|")
            if name == "PID":
                place = (values[2], "", "")
            elif name == "OBR":
                place = (place[0], values[1], values[2])
            elif name == "OBX":
                known = (values[2].split("^")[0], values[3])
                results = self.shown.setdefault(place, {})
                if values[10] in {"D", "W"}:
                    results.pop(known, None)
                else:
                    assert values[10] in {"P", "F", "C", "X"}
                    results[known] = values[4]

    def results(self) -> dict[Place, dict[Known, str]]:
        return {place: results for place, results in self.shown.items() if results}


def only(report: IssuedReport) -> dict[Place, dict[Known, str]]:
    """What a system shows that has never heard of anything else."""
    ward = Ward()
    ward.take(write_messages(report, (), HERE, PLAIN, pdf=b"pdf"))
    return ward.results()


@dataclass(frozen=True)
class Step:
    """A version and what becomes of it: "none" of it is sent, its answer is "lost", or "taken"."""

    report: IssuedReport
    way: str


LABELS = st.sampled_from(
    [SectionLabel.FINDINGS, SectionLabel.ADVICE, SectionLabel.COMPARISON, SectionLabel.ADDENDUM]
)


@st.composite
def lives(draw: st.DrawFn) -> list[Step]:
    """Versions of one report, the last of which arrives."""
    count = draw(st.integers(1, 5))
    steps: list[Step] = []
    for number in range(1, count + 1):
        base = draw(st.sampled_from([issued_report(), issued_ecg()]))
        kinds = [IssuedKind.AMENDMENT, IssuedKind.ADDENDUM]
        kind = draw(st.sampled_from(kinds if number > 1 else [*IssuedKind][:2]))
        if number > 1 and draw(st.integers(0, 3)) == 0:
            kind = IssuedKind.NOTICE
        sections = tuple(
            IssuedSection(label=label, text=f"{number} {label.value} {place}")
            for place, label in enumerate(draw(st.lists(LABELS, max_size=4)))
        )
        if kind is IssuedKind.NOTICE:
            sections = (
                IssuedSection(label=SectionLabel.NOTICE, text="void"),
                IssuedSection(label=SectionLabel.ADVICE, text="use it no more"),
            )
        report = replace(
            base,
            report_version_id=UUID(int=number),
            workitem_id=UUID(int=99),
            version_number=number,
            kind=kind,
            sections=sections,
            codes=() if kind is IssuedKind.NOTICE else base.codes,
            measurements=() if kind is IssuedKind.NOTICE else base.measurements,
            patient=replace(base.patient, local_id=draw(st.sampled_from(["P1", "P2"]))),
            order=replace(base.order, filler_order_number=draw(st.sampled_from(["", "F1"]))),
        )
        way = "taken" if number == count else draw(st.sampled_from(["none", "lost", "taken"]))
        steps.append(Step(report, way))
    return steps


@settings(max_examples=40, deadline=None)
@given(life=lives(), again=st.booleans())
def test_what_stands_is_what_is_shown(life: list[Step], *, again: bool) -> None:
    ward = Ward()
    sent: list[IssuedReport] = []
    late: list[tuple[WrittenMessage, ...]] = []
    for step in life:
        messages = write_messages(step.report, sent, HERE, PLAIN, pdf=b"pdf")
        if step.way != "none":
            ward.take(messages)
            sent.append(step.report)
            assert ward.results() == only(step.report)
        if step.way == "lost" and again:
            ward.take(messages)
            late.append(messages)
    newest = life[-1].report
    before = [one for one in sent if one is not newest]
    if late:
        # What lay in some queue of the receiver's comes last, under numbers it has forgotten; the
        # version that stands is then sent once more.
        ward.seen.clear()
        for messages in late:
            ward.take(messages)
        ward.take(write_messages(newest, before, HERE, PLAIN, pdf=b"pdf", transmission=1))
    assert ward.results() == only(newest)
    ward.take(write_messages(newest, before, HERE, PLAIN, pdf=b"pdf"))
    assert ward.results() == only(newest)
