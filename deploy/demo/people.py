"""The people of the demonstration at work, through the same HTTP API as the web pages."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

from deploy.demo.consortium import DemoPerson
from deploy.errors import DeployError

_TIMEOUT: Final = 60.0
_MODALITY: Final = "00080060"

_TEXTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "ct": (
        (
            "双侧胸廓对称，气管居中。右肺上叶见一类圆形实性结节影，直径约14 mm，边缘光滑。"
            "余肺纹理走行自然，纵隔内未见肿大淋巴结。"
        ),
        "右肺上叶实性结节，建议结合临床随访。",
        "建议3个月后复查胸部CT平扫。",
    ),
    "mr": (
        "扫描范围内信号均匀，结构清晰，未见明确异常信号影。",
        "所见层面MR平扫未见明显异常。",
        "",
    ),
    "us": ("所示切面回声均匀，边界清晰，未见明确占位性病变。", "所示切面超声未见明显异常。", ""),
    "cr": (
        "骨质结构完整，骨皮质连续，关节间隙未见狭窄，周围软组织未见肿胀。",
        "所示骨质未见明显异常。",
        "",
    ),
    "ecg": ("窦性心律，各波形态及间期未见异常。", "窦性心律，正常心电图。", ""),
}


class DemoRefused(DeployError):
    """The server refused what the demonstration asked."""


class DemoClient:
    """Somebody signed in at the server. Use it as a context manager."""

    def __init__(self, base_url: str, person: DemoPerson) -> None:
        self.person = person
        self._http = httpx.Client(base_url=base_url, timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        """Sign in."""
        body = {"login": self.person.login, "password": self.person.password}
        session = self._ask("POST", "/api/session", body)
        self._http.headers["X-CSRF-Token"] = session["csrf_token"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str) -> Any:  # noqa: ANN401 -- JSON of many shapes
        """Return the JSON at `path`."""
        return self._ask("GET", path)

    def post(self, path: str) -> Any:  # noqa: ANN401 -- JSON of many shapes
        """Have done what POST to `path` does; return the JSON it answers."""
        return self._ask("POST", path)

    def get_bytes(self, path: str) -> bytes:
        """Return the document at `path`."""
        return self._answer("GET", path).content

    def workitems(self) -> dict[str, dict[str, Any]]:
        """Return every workitem of the worklist by its Study Instance UID."""
        page = self._ask("GET", "/api/workitems?page_size=200")
        return {item["study"]["study_instance_uid"]: item for item in page["items"]}

    def write_report(self, workitem_id: str, kind: str) -> None:
        """Claim, write and sign as a writer does."""
        findings, impression, advice = _TEXTS[kind]
        text = {"findings": findings, "impression": impression, "advice": advice}
        item = f"/api/workitems/{workitem_id}"
        self._ask("POST", f"{item}/claim")
        codes = {"ecg_class": "normal"} if kind == "ecg" else {}
        draft = self._ask("PUT", f"{item}/draft", {**text, "codes": codes, "revision": 0})
        pin = {"revision": draft["revision"], "signing_pin": self.person.pin}
        self._ask("POST", f"{item}/submit", pin)

    def review_report(self, workitem_id: str) -> dict[str, Any]:
        """Review and sign as a reviewer does; return the workitem with its signed version."""
        item = f"/api/workitems/{workitem_id}"
        self._ask("POST", f"{item}/review")
        return self._ask("POST", f"{item}/finalise", {"signing_pin": self.person.pin})

    def stored_instances(self, study_instance_uid: str) -> int:
        """Return how many instances of a study QIDO-RS shows, those of its report left out."""
        path = f"/dicom-web/studies/{study_instance_uid}/instances?includefield={_MODALITY}"
        answer = self._answer("GET", path)
        found: list[dict[str, dict[str, Any]]] = answer.json() if answer.content else []
        return sum(one[_MODALITY]["Value"] not in (["SR"], ["DOC"], ["KO"]) for one in found)

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 -- JSON
        return self._answer(method, path, body).json()

    def _answer(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = self._http.request(method, path, json=body)
        if answer.is_error:
            raise DemoRefused(
                f"{self.person.login} asked {method} {path}",
                found=f"{answer.status_code} {answer.text[:300]}",
            )
        return answer
