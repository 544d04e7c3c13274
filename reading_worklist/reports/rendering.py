"""Drawing a report: typst lays the page out, and the signature fields are put over its boxes."""

from importlib import resources
from typing import Final, cast

import segno

from reading_worklist.ecg.statements.library import library
from reading_worklist.patient_age import Age
from reading_worklist.reports.document import (
    EcgTrace,
    PrintedImage,
    ReportDocument,
    ReportStatus,
    content_digest,
    kept,
    measurement_rows,
    to_content,
)
from reading_worklist.signing.fields import SignatureBox, SignatureRole, reserve
from reading_worklist.signing.pdf_objects import page_count
from reading_worklist.typesetting.labels import Labels, Language, labels
from reading_worklist.typesetting.typesetter import JsonValue, Typesetter

_TEMPLATE: Final = (
    resources.files("reading_worklist.reports").joinpath("templates/report.typ").read_bytes()
)

# Millimetres on A4; the template draws its boxes at these numbers.
_MARGIN_X: Final = 17.0
_MARGIN_BOTTOM: Final = 20.0
_BOX_WIDTH: Final = 58.0
_BOX_HEIGHT: Final = 22.0
_BOX_LEFT: Final = {SignatureRole.WRITER: 73.0, SignatureRole.REVIEWER: 135.0}
_BLOCK_HEIGHT: Final = 27.0
_COLUMNS: Final = 3
_A4: Final = (210.0, 297.0)
# What a trace page needs beside the trace: both margins; head, caption line and foot. On A4 that
# leaves 281 mm × 162 mm for a trace.
_TRACE_MARGINS: Final = (16.0, 48.0)


def render(document: ReportDocument, language: Language, typesetter: Typesetter) -> bytes:
    """Return the report as PDF/A-2b on A4, with an empty signature field for writer and reviewer.

    One for which a single signature is enough has one field, its writer's; a void one has none.

    Text of any kind prints: characters that no font has appear as a box with their code point,
    and nothing in a text is read as markup. Traces are drawn at their true size; one that exceeds
    A4 gets a larger page rather than another scale.

    Raises:
        TypesettingFailed: never because of what a text holds.
    """
    pdf = typesetter.compile(
        _TEMPLATE, _data(document, language, typesetter), created_at=document.reported_at
    )
    traces = document.ecg.traces if document.ecg else ()
    last_text_page = page_count(pdf) - len(traces) - 1
    boxes = _boxes(last_text_page, labels(language), document)
    return reserve(pdf, boxes) if boxes else pdf


def _boxes(page: int, words: Labels, document: ReportDocument) -> tuple[SignatureBox, ...]:
    if document.status is ReportStatus.REVOKED:
        # Two people's decision makes it, and nobody signs it.
        return ()
    alone = bool(document.single_signature_basis)
    return tuple(
        SignatureBox(
            role=role,
            page=page,
            left=left,
            bottom=_MARGIN_BOTTOM,
            width=_BOX_WIDTH,
            height=_BOX_HEIGHT,
            label=words["signature"]["sole" if alone else role.value],
        )
        for role, left in _BOX_LEFT.items()
        if role is SignatureRole.WRITER or not alone
    )


def _data(document: ReportDocument, language: Language, typesetter: Typesetter) -> JsonValue:
    """Return everything the template prints, as printable text."""
    words = labels(language)
    lang, _, region = language.partition("-")
    version = str(document.version_number)
    patient = document.patient
    return {
        "lang": lang,
        "region": region or None,
        "words": {group: dict(entries) for group, entries in words.items()},
        "disclaimer": words["foot"][_disclaimer(document)],
        "geometry": {
            "margin_x": _MARGIN_X,
            "margin_bottom": _MARGIN_BOTTOM,
            "box_height": _BOX_HEIGHT,
            "block_height": _BLOCK_HEIGHT,
            "first_left": _BOX_LEFT[SignatureRole.WRITER],
            "boxes": [
                {
                    "left": box.left,
                    "width": box.width,
                    "height": box.height,
                    "label": box.label,
                }
                for box in _boxes(0, words, document)
            ],
        },
        "title": document.title(language),
        "author": typesetter.plain(document.diagnosing.text(language)),
        "study_uid": typesetter.plain(document.study_instance_uid),
        "content_digest": content_digest(to_content(kept(document)), language),
        "status": words["status"][document.status.value],
        "status_code": document.status.value,
        "version": words["field"]["version"].replace("{version}", version),
        "watermark": words["watermark"][document.status.value].replace("{version}", version),
        "recognition_mark": typesetter.line(document.recognition_mark),
        "examining": typesetter.line(document.examining.text(language)),
        "diagnosing": typesetter.line(document.diagnosing.text(language)),
        "patient": {
            "name": typesetter.line(patient.name),
            "sex": words["sex"].get(patient.sex, words["sex"]["unknown"]),
            "age": _age(patient.age, words),
        },
        "accession_number": typesetter.line(document.accession_number),
        "facts": _facts(document, words, typesetter),
        "notices": [
            {"label": words["field"][name], "value": typesetter.line(value)}
            for name, value in (
                ("critical_notice", document.critical_notice),
                (
                    "revocation_reason"
                    if document.status is ReportStatus.REVOKED
                    else "amendment_reason",
                    document.amendment_reason,
                ),
                ("single_signature_basis", document.single_signature_basis),
            )
            if value
        ],
        "measurements": _measurements(document, language, words, typesetter),
        "sections": _sections(document, language, words, typesetter),
        "device_statements": [
            pieces
            for statement in (document.ecg.device_statements if document.ecg else ())
            for pieces in typesetter.lines(statement)
        ],
        "traces": [
            _trace(trace, words, typesetter)
            for trace in (document.ecg.traces if document.ecg else ())
        ],
        "key_images": [_key_image(one, words, typesetter) for one in document.key_images],
        "qr": _qr(document.verification_url),
        "accession_qr": _qr(document.accession_number) if document.accession_number else "",
        "verification_code": typesetter.plain(document.verification_code),
        "verification_url": typesetter.line(document.verification_url),
    }


def _disclaimer(document: ReportDocument) -> str:
    """Return the name of the words at the foot: by whose act the paper counts."""
    if document.status is ReportStatus.REVOKED:
        return "disclaimer_void"
    return "disclaimer_sole" if document.single_signature_basis else "disclaimer"


def _facts(
    document: ReportDocument, words: Labels, typesetter: Typesetter
) -> list[dict[str, JsonValue]]:
    """Return the grid of patient and examination: always the same order, unknown rows left out."""
    patient = document.patient
    side = words["laterality"].get(document.laterality, document.laterality)
    # name, value, columns of three, printed also when empty
    entries = (
        ("name", patient.name, 1, True),
        ("sex", words["sex"].get(patient.sex, words["sex"]["unknown"]), 1, True),
        ("age", _age(patient.age, words), 1, True),
        ("local_id", patient.local_id, 1, True),
        ("accession_number", document.accession_number, 1, True),
        ("identity", patient.identity, 1, False),
        ("visit_type", words["visit_type"].get(patient.visit_type, patient.visit_type), 1, False),
        ("visit_number", patient.visit_number, 1, False),
        ("department", patient.department, 1, False),
        ("bed", patient.bed, 1, False),
        ("requester", document.requester, 1, False),
        ("order_number", document.order_number, 1, False),
        ("body_part", document.body_part, 1, False),
        ("laterality", side, 1, False),
        ("procedure", document.procedure, 3, False),
        ("technique", document.technique, 3, False),
        ("contrast", document.contrast, 3, False),
        ("clinical_diagnosis", document.clinical_diagnosis, 3, False),
        ("purpose", document.purpose, 3, False),
        ("device", document.device, 3, False),
        ("dose", document.dose, 3, False),
        ("ordered_at", document.local(document.ordered_at), 1, False),
        ("performed_at", document.local(document.performed_at), 1, True),
        ("received_at", document.local(document.received_at), 1, False),
        ("reported_at", document.local(document.reported_at), 1, True),
        ("study_instance_uid", document.study_instance_uid, 2, True),
    )
    facts: list[dict[str, JsonValue]] = [
        {
            "label": words["field"][name],
            "value": typesetter.line(value),
            "span": span,
            "strong": name in {"name", "laterality"},
            "small": name == "study_instance_uid",
        }
        for name, value, span, always in entries
        if value or always
    ]
    return _rows_filled(facts)


def _rows_filled(facts: list[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
    """Let the last entry of each row take what is left of the three columns."""
    filled: list[dict[str, JsonValue]] = []
    used = 0
    for fact in facts:
        span = cast("int", fact["span"])
        if used + span > _COLUMNS and filled:
            filled[-1]["span"] = cast("int", filled[-1]["span"]) + _COLUMNS - used
            used = 0
        filled.append(fact)
        used = (used + span) % _COLUMNS
    return filled


def _sections(
    document: ReportDocument, language: Language, words: Labels, typesetter: Typesetter
) -> list[dict[str, JsonValue]]:
    ecg = document.ecg
    impression = document.impression_in(language)
    prefix = "ecg_" if document.is_ecg else ""
    texts = (
        ("findings", document.findings, f"{prefix}findings", False),
        ("comparison", document.comparison, "comparison", False),
        ("impression", impression, f"{prefix}impression", True),
        ("advice", document.advice, "advice", False),
    )
    sections: list[dict[str, JsonValue]] = [
        {"title": words["section"][title], "lines": typesetter.lines(text), "strong": strong}
        for name, text, title, strong in texts
        # The diagnosis is printed even when it is empty: its lack must be seen.
        if text.strip() or name == "impression"
    ]
    sections.extend(
        {
            "title": f"{words['section']['addendum']}  {document.local(one.written_at)}",
            "lines": typesetter.lines(one.text),
            "strong": False,
        }
        for one in document.addenda
    )
    ecg_class = document.codes.get("ecg_class")
    coded = words["ecg_class"][ecg_class] if ecg_class else ecg.ecg_class if ecg else ""
    if coded:
        sections.append(
            {"title": words["ecg"]["class"], "lines": typesetter.lines(coded), "strong": False}
        )
    assessed = [
        f"{words['code'][name]} {words.get(name, {}).get(value, value)}"
        for name, value in document.codes.items()
        if name in words["code"]
    ]
    if assessed:
        sections.append(
            {
                "title": words["section"]["assessment"],
                "lines": typesetter.lines("    ".join(assessed)),
                "strong": False,
            }
        )
    return sections


def _measurements(
    document: ReportDocument, language: Language, words: Labels, typesetter: Typesetter
) -> JsonValue:
    ecg = document.ecg
    if ecg is None or not ecg.measurements:
        return None
    sources, rows = measurement_rows(ecg.measurements)
    # In the order of the labels; what a device names by itself comes last.
    known = list(words["measure"])
    rows.sort(key=lambda row: known.index(row[0]) if row[0] in known else len(known))
    rhythm = [
        one.statement.text(language)
        for one in library().said(document.impression)
        if one.statement.group == "rhythm"
    ]
    return {
        "sources": sources,
        "rhythm": typesetter.line(words["ecg"]["between"].join(rhythm)),
        "method": typesetter.line(
            words["ecg"]["between"].join(
                (ecg.method, *([words["ecg"]["corrected"]] if ecg.corrected else []))
            )
        ),
        "rows": [
            {
                "name": typesetter.line(words["measure"].get(name, name)),
                "unit": typesetter.line(words["unit"].get(unit, unit)),
                "values": [_value(values.get(source), words, typesetter) for source in sources],
            }
            for name, unit, values in rows
        ],
    }


def _value(value: str | None, words: Labels, typesetter: Typesetter) -> dict[str, JsonValue]:
    """Return a value as printed: what was not measured says so, what nobody tried is empty."""
    missing = value == ""
    return {
        "text": typesetter.line(words["ecg"]["not_measured"] if missing else value or ""),
        "missing": missing,
    }


def _key_image(image: PrintedImage, words: Labels, typesetter: Typesetter) -> dict[str, JsonValue]:
    named = words["section"]["image_frame" if image.frame_count > 1 else "image"]
    numbers = {"series": image.series_number, "instance": image.instance_number}
    for name, number in numbers.items():
        named = named.replace(f"{{{name}}}", "—" if number is None else str(number))
    return {
        # JSON has no bytes, and typst no base64.
        "picture": list(image.picture),
        "caption": typesetter.line(named.replace("{frame}", str(image.frame_number))),
    }


def _trace(trace: EcgTrace, words: Labels, typesetter: Typesetter) -> dict[str, JsonValue]:
    needed = (trace.width_mm + _TRACE_MARGINS[0], trace.height_mm + _TRACE_MARGINS[1])
    portrait = needed[0] <= _A4[0] and needed[1] > _A4[0]
    width, height = _A4 if portrait else (_A4[1], _A4[0])
    scale = (
        ("speed", f"{trace.speed:g} mm/s"),
        ("gain", f"{trace.gain:g} mm/mV"),
        ("filter", trace.filter),
        ("sampling", trace.sampling),
    )
    return {
        "svg": trace.svg,
        "width": trace.width_mm,
        "height": trace.height_mm,
        "page_width": max(width, needed[0]),
        "page_height": max(height, needed[1]),
        "caption": typesetter.line(trace.caption),
        "scale": [
            {"label": words["ecg"][name], "value": typesetter.line(value)}
            for name, value in scale
            if value
        ],
    }


def _age(age: Age | None, words: Labels) -> str:
    return words["age"][age.unit].replace("{value}", str(age.value)) if age else ""


def _qr(url: str) -> str:
    """Return a QR code (ISO/IEC 18004, level M) as SVG with the quiet zone scanners need."""
    code = segno.make(url, error="m", micro=False)
    return code.svg_inline(border=2, dark="#111827", omitsize=True)
