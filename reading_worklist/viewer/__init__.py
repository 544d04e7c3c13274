"""The OHIF viewer at `/viewer`, served by us and fed by `/dicom-web` with the reader's own session.

No cross-origin isolation headers are sent: they would help only ITK's and ONNX's
threads, and would cut the viewer off from a page of ours that frames or opens it.
"""

from reading_worklist.viewer.package import PREFIX, ViewerPackage
from reading_worklist.viewer.packed_files import PackedFiles
from reading_worklist.viewer.pages import install

__all__ = ("PREFIX", "PackedFiles", "ViewerPackage", "install")
