"""The viewer draws every kind of image: transfer syntaxes, colours, bit depths, frames.

One of each kind from pydicom's files in every run; with RDC_SOAK=1 every image of the shared corpus
that is valid, of which a table is left in var/.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest
from PIL import Image as Picture
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as BrowserTimeout
from pydicom import dcmwrite
from pydicom.filebase import DicomBytesIO
from pydicom.uid import generate_uid

from tests.reading_worklist.dicomweb.archive import Archive, Filed
from tests.reading_worklist.dicomweb.samples import CORPUS, REPOSITORY, Sample, bundled, corpus
from tests.support.seed import PASSWORD, Consortium
from tests.support.soak import SOAK
from tests.support.viewer import (
    CHROMIUM,
    OHIF,
    Traffic,
    chromium,
    signed_in,
)

NO_ANSWER: Final = "no answer"
STUDIES_AT_ONCE: Final = 6
TABLE: Final = REPOSITORY / "var" / "viewer-corpus.tsv"
# What the viewer cannot draw whatever it is given, see deploy/docs/decisions.md.
BEYOND_THE_VIEWER: Final = frozenset(
    {
        "pydicom/SC_rgb_rle_32bit.dcm",
        "pydicom/SC_rgb_rle_32bit_2frame.dcm",
        "pydicom/SC_ybr_full_422_uncompressed.dcm",
    }
)
# One of each: syntax, photometric interpretation, bits, frames.
KINDS: Final = (
    "CT_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "693_J2KI.dcm",
    "JPGExtended.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_dcmtk_+eb+cy+n1.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "chrRuss.dcm",
    "examples_jpeg2k.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "image_dfl.dcm",
)
# Draws frames as the viewports do and tells what came of each: how many colours there are and their
# mean, or why there is nothing. In an engine of its own: the viewer's own thumbnails are drawn by
# the same function, which gives an image's second drawing in one engine the place of the first and
# then never answers it. The panel draws every image's thumbnail while this goes on.
DRAW: Final = """async ([root, frames, silence]) => {
  const { metaData, utilities } = window.cornerstone;
  const draw = async frame => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 128;
    const imageId = `wadors:${root}/${frame}`;
    await utilities.loadImageToCanvas({ canvas, imageId, renderingEngineId: 'probe' });
    const data = canvas.getContext('2d').getImageData(0, 0, 128, 128).data;
    const colours = new Set();
    const mean = [0, 0, 0];
    for (let at = 0; at < data.length; at += 4) {
      colours.add(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
      for (const n of [0, 1, 2]) mean[n] += data[at + n] / (data.length / 4);
    }
    return [colours.size, ...mean.map(Math.round)].join(' ');
  };
  const told = {};
  for (const frame of frames) {
    const late = new Promise((_, no) => setTimeout(() => no(new Error(silence)), 20000));
    try {
      told[frame] = await Promise.race([draw(frame), late]);
    } catch (error) {
      const reason = error && (error.error || error);
      told[frame] = String((reason && reason.message) || JSON.stringify(reason) || reason);
    }
  }
  return told;
}"""
# Whether the viewer knows all of these frames, which it does when it has a study's metadata.
KNOWN: Final = """([root, frames]) => window.cornerstone && frames.every(
  frame => window.cornerstone.metaData.get('imagePixelModule', `wadors:${root}/${frame}`))"""


@dataclass(frozen=True, slots=True)
class Image:
    """A file that was filed."""

    name: str
    filed: Filed

    @property
    def first_frame(self) -> str:
        return f"{self.filed.path}/frames/1"


def file_all(archive: Archive, consortium: Consortium, samples: Sequence[Sample]) -> list[Image]:
    """File each sample as it is; one whose UIDs or patient another has, under UIDs of its own."""
    images: list[Image] = []
    for sample in samples:
        filed = archive.file(sample.data, consortium.east) or archive.file(
            anew(sample, str(generate_uid())), consortium.east
        )
        assert filed is not None, sample.name
        images.append(Image(sample.name, filed))
    archive.complete()
    return images


def anew(sample: Sample, study: str) -> bytes:
    """The image in a study and a series under other UIDs, in its own transfer syntax."""
    dataset = sample.read()
    dataset.PatientID = study[-60:]
    dataset.StudyInstanceUID = study
    dataset.SeriesInstanceUID = str(generate_uid())
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    stream = DicomBytesIO()
    dcmwrite(stream, dataset)
    return stream.getvalue()


def in_batches(images: Sequence[Image]) -> Iterator[list[Image]]:
    """The images of some studies at a time, which the viewer opens together."""
    studies: dict[str, list[Image]] = {}
    for image in images:
        studies.setdefault(image.filed.header.study_instance_uid, []).append(image)
    rows = list(studies.values())
    for start in range(0, len(rows), STUDIES_AT_ONCE):
        yield [image for study in rows[start : start + STUDIES_AT_ONCE] for image in study]


def valid_images() -> list[Sample]:
    """The images of the corpus that its manifest calls valid and that have pixels."""
    with (CORPUS / "manifest.tsv").open(encoding="utf-8") as manifest:
        rows = list(csv.DictReader(manifest, delimiter="\t"))
    wanted = {
        row["path"]
        for row in rows
        if row["status"] == "valid" and row["sop_class"].endswith("Image Storage")
    }
    chosen = [sample for sample in corpus() if sample.name in wanted]
    return [sample for sample in chosen if "PixelData" in sample.read()]


def draw(page: Page, address: str, images: Sequence[Image]) -> Mapping[str, str]:
    """Open the studies of some images and draw the first frame of each; returns what came of each.

    Raises `BrowserTimeout` when the viewer does not learn of them.
    """
    studies = dict.fromkeys(one.filed.header.study_instance_uid for one in images)
    site = images[0].filed.site_code
    page.goto(f"{address}/viewer/viewer?StudyInstanceUIDs={','.join(studies)}&site={site}")
    root, frames = f"{address}/dicom-web/sites/{site}", [one.first_frame for one in images]
    page.wait_for_function(KNOWN, arg=[root, frames], polling=200, timeout=60_000)
    told: dict[str, Any] = page.evaluate(DRAW, [root, frames, NO_ANSWER])
    return {one.name: str(told[one.first_frame]) for one in images}


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not (OHIF / "index.html").is_file(), reason="the viewer is not installed"),
]


@pytest.mark.timeout(300)
def test_every_kind_of_image_is_drawn(server: tuple[str, Archive, Consortium]) -> None:
    address, archive, consortium = server
    known = {sample.name: sample for sample in bundled()}
    study = str(generate_uid())
    images: list[Image] = []
    for name in KINDS:
        filed = archive.file(anew(known[name], study), consortium.east)
        assert filed is not None, name
        images.append(Image(name, filed))
    archive.complete()
    with chromium() as browser:
        page = signed_in(browser, address, {"login": "reviewer", "password": PASSWORD})
        traffic = Traffic(page)
        told = draw(page, address, images)
    missing = {name: text for name, text in told.items() if not is_drawn(text)}
    assert missing == {}, traffic.report()


@pytest.mark.skipif(not SOAK, reason="every image of the corpus takes minutes: RDC_SOAK=1")
@pytest.mark.timeout(3600)
def test_every_valid_image_of_the_corpus_is_drawn(
    server: tuple[str, Archive, Consortium],
) -> None:
    address, archive, consortium = server
    images = file_all(archive, consortium, valid_images())
    missing: list[str] = []
    with chromium() as browser, TABLE.open("w", encoding="utf-8") as table:
        for batch in in_batches(images):
            page = signed_in(browser, address, {"login": "reviewer", "password": PASSWORD})
            try:
                told = draw(page, address, batch)
            except BrowserTimeout as error:
                told = {one.name: str(error) for one in batch}
            # As it goes on: somebody may look, or have to end it.
            for one in batch:
                text = told[one.name]
                drawn = is_drawn(text) or (has_answered(text) and is_plain(page, address, one))
                if not drawn:
                    missing.append(one.name)
                syntax = one.filed.header.transfer_syntax_uid
                table.write(f"{one.name}\t{syntax}\t{'' if drawn else 'NOT '}drawn\t{text!r}\n")
            table.flush()
            page.context.close()
    assert set(missing) == BEYOND_THE_VIEWER


def has_answered(text: str) -> bool:
    """Whether anything was drawn: the count of colours and their mean."""
    return text.replace(" ", "").isdigit()


def is_drawn(text: str) -> bool:
    """Whether more than one colour was drawn."""
    return has_answered(text) and int(text.split(maxsplit=1)[0]) > 1


def is_plain(page: Page, address: str, image: Image) -> bool:
    """Whether our own picture of an image has one colour too, as of air above a head."""
    root = f"{address}/dicom-web/sites/{image.filed.site_code}"
    answer = page.context.request.get(
        f"{root}/{image.first_frame}/rendered", headers={"Accept": "image/png"}
    )
    return len(Picture.open(io.BytesIO(answer.body())).getcolors(1 << 16) or (0, 0)) == 1
