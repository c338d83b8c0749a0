from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import count

from devstack.records import KEY_BITS, Record

TENANT = "<default>"
BPMN = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="order-file">
  <bpmn:process id="order" name="Order to cash" isExecutable="true">
    <bpmn:startEvent id="received" name="Order received" />
    <bpmn:serviceTask id="charge" name="Charge the card" />
    <bpmn:endEvent id="done" />
  </bpmn:process>
</bpmn:definitions>"""


class Journal:
    """Writes a cluster's records by hand, with keys, positions and times as Zeebe counts them.

    Each record goes to `read` at once. Time stands still unless `now_ms` is set.
    """

    def __init__(
        self,
        read: Callable[[Record], None],
        *,
        partition_id: int = 1,
        now_ms: int = 1_768_471_871_440,
    ) -> None:
        self._read = read
        self._partition_id = partition_id
        self._keys = count((partition_id << KEY_BITS) + 1)
        self._positions = count(1)
        self.now_ms = now_ms
        self._instances: dict[int, dict] = {}
        self._elements: dict[int, dict] = {}

    def forget(self) -> None:
        """Drop what is only needed to go on with instances that have begun."""
        self._instances.clear()
        self._elements.clear()

    def key(self) -> int:
        return next(self._keys)

    def write(self, value_type, intent, key, value, *, record_type="EVENT") -> None:
        position = next(self._positions)
        self._read(
            Record(
                position,
                position - 1,
                key,
                self.now_ms,
                self._partition_id,
                record_type,
                value_type,
                intent,
                value,
            ),
        )

    def deploy(self, process_id="order", *, version=1, version_tag="", xml=BPMN) -> int:
        key = self.key()
        value = {
            "bpmnProcessId": process_id,
            "version": version,
            "versionTag": version_tag,
            "processDefinitionKey": key,
            "resourceName": f"{process_id}.bpmn",
            "checksum": "",
            "resource": base64.b64encode(xml.encode()).decode(),
            "tenantId": TENANT,
            "deploymentKey": self.key(),
            "duplicate": False,
        }
        self.write("PROCESS", "CREATED", key, value)
        return key

    def start(self, definition, process_id="order", *, parent=-1, parent_element=-1) -> int:
        key = self.key()
        path = [*self._elements[parent_element]["elementInstancePath"]] if parent > 0 else []
        value = {
            "bpmnProcessId": process_id,
            "version": 1,
            "tenantId": TENANT,
            "processDefinitionKey": definition,
            "processInstanceKey": key,
            "elementId": process_id,
            "flowScopeKey": -1,
            "bpmnElementType": "PROCESS",
            "bpmnEventType": "UNSPECIFIED",
            "parentProcessInstanceKey": parent,
            "parentElementInstanceKey": parent_element,
            "elementInstancePath": [*path, [key]],
        }
        self._instances[key] = value
        self.write("PROCESS_INSTANCE", "ELEMENT_ACTIVATING", key, value)
        self.write("PROCESS_INSTANCE", "ELEMENT_ACTIVATED", key, value)
        return key

    def end(self, instance, intent="ELEMENT_COMPLETED") -> None:
        self.write("PROCESS_INSTANCE", intent, instance, self._instances[instance])

    def enter(self, instance, element_id, element_type, *, scope=None) -> int:
        key = self.key()
        around = self._elements[scope] if scope else self._instances[instance]
        *callers, own = around["elementInstancePath"]
        value = self._instances[instance] | {
            "elementId": element_id,
            "bpmnElementType": element_type,
            "flowScopeKey": scope or instance,
            "elementInstancePath": [*callers, [*own, key]],
        }
        self._elements[key] = value
        self.write("PROCESS_INSTANCE", "ELEMENT_ACTIVATING", key, value)
        self.write("PROCESS_INSTANCE", "ELEMENT_ACTIVATED", key, value)
        return key

    def leave(self, element, intent="ELEMENT_COMPLETED") -> None:
        self.write("PROCESS_INSTANCE", "ELEMENT_COMPLETING", element, self._elements[element])
        self.write("PROCESS_INSTANCE", intent, element, self._elements[element])

    def take(self, instance, flow_id) -> None:
        value = self._instances[instance] | {
            "elementId": flow_id,
            "bpmnElementType": "SEQUENCE_FLOW",
        }
        self.write("PROCESS_INSTANCE", "SEQUENCE_FLOW_TAKEN", self.key(), value)

    def variable(self, instance, name, value, *, scope=None, key=None) -> int:
        intent = "CREATED" if key is None else "UPDATED"
        key = key or self.key()
        record_value = {
            "name": name,
            "value": value,
            "scopeKey": scope or instance,
            "processInstanceKey": instance,
            "processDefinitionKey": self._instances[instance]["processDefinitionKey"],
            "bpmnProcessId": self._instances[instance]["bpmnProcessId"],
            "tenantId": TENANT,
        }
        self.write("VARIABLE", intent, key, record_value)
        return key

    def incident(self, element, *, message="card declined", job=-1, key=None) -> int:
        intent = "CREATED" if key is None else "RESOLVED"
        key = key or self.key()
        of = self._elements[element]
        value = {
            "errorType": "JOB_NO_RETRIES",
            "errorMessage": message,
            "bpmnProcessId": of["bpmnProcessId"],
            "processDefinitionKey": of["processDefinitionKey"],
            "processInstanceKey": of["processInstanceKey"],
            "elementId": of["elementId"],
            "elementInstanceKey": element,
            "jobKey": job,
            "variableScopeKey": element,
            "tenantId": TENANT,
            "elementInstancePath": of["elementInstancePath"],
        }
        self.write("INCIDENT", intent, key, value)
        return key
