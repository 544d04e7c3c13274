"""A FHIR R4 server of a site: it stores transactions with their conditions, all or nothing."""

import itertools
import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.pacs_gateway.returns.web_peer import Posted, Reply
from tests.support.fhir import check, walk

Resource = dict[str, Any]


class Refused(Exception):
    """status: of the whole transaction."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass
class FhirPeer:
    """resources: by type and id, as they stand. versions: how often each was written."""

    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])
    versions: dict[str, int] = field(default_factory=dict[str, int])
    echoes: bool = False
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def of(self, kind: str) -> list[Resource]:
        return [one for name, one in self.resources.items() if name.startswith(f"{kind}/")]

    def __call__(self, posted: Posted) -> Reply:
        before = deepcopy(self.resources)
        try:
            bundle = json.loads(posted.body)
            check(bundle)
            entries = self._transact(bundle)
        except Refused as error:
            self.resources = before
            body = {
                "resourceType": "OperationOutcome",
                "issue": [{"severity": "error", "code": error.code, "diagnostics": "张三"}],
            }
            return Reply(error.status, body=json.dumps(body).encode())
        body = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
        check(body)
        return Reply(200, body=json.dumps(body).encode())

    def _transact(self, bundle: Resource) -> list[Resource]:
        assert bundle["type"] == "transaction"
        places: dict[str, str] = {}
        found: list[tuple[str, int, Resource]] = []
        for entry in bundle["entry"]:
            request, kind = entry["request"], entry["resource"]["resourceType"]
            assert "id" not in entry["resource"]
            creates = request["method"] == "POST"
            asked = request["ifNoneExist"] if creates else request["url"].partition("?")[2]
            matches = self._matching(kind, asked)
            if len(matches) > 1:
                raise Refused(412, "multiple-matches")
            name = matches[0] if matches else f"{kind}/{next(self._numbers)}"
            assert name not in places.values(), "two entries for one resource"
            places[entry["fullUrl"]] = name
            status = 201 if not matches else 200
            if not matches or not creates:
                found.append((name, status, entry["resource"]))
            else:
                found.append((name, status, {}))
        answers: list[Resource] = []
        for name, status, resource in found:
            if resource:
                self.resources[name] = self._resolved(resource, places)
                self.versions[name] = self.versions.get(name, 0) + 1
            answer: Resource = {
                "response": {"status": f"{status} OK", "location": f"{name}/_history/1"}
            }
            if self.echoes:
                answer["resource"] = self.resources[name]
            answers.append(answer)
        return answers

    def _matching(self, kind: str, asked: str) -> list[str]:
        [token] = parse_qs(asked, strict_parsing=True)["identifier"]
        system, _, value = token.partition("|")
        return [
            name
            for name, one in self.resources.items()
            if name.startswith(f"{kind}/")
            and any((i["system"], i["value"]) == (system, value) for i in one.get("identifier", ()))
        ]

    def _resolved(self, resource: Resource, places: dict[str, str]) -> Resource:
        resource = deepcopy(resource)
        for _, value in walk(resource):
            if isinstance(value, dict) and "reference" in value:
                if value["reference"] not in places:
                    raise Refused(400, "not-found")
                value["reference"] = places[value["reference"]]
        return resource
