// Applies Camunda's own Operate templates, every version that the package has, to tasks between a
// start and an end event. Argument: a JSON file {name: {version, values}}, where `values` are what
// a user types, by the name of the input or header; version 0 is the one that names none.
// Prints {name: BPMN}.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { applyTemplate } from "element-templates-cli";

const PACKAGE = "@camunda/connectors-element-templates/src/element-templates/operate-connector.json";
const versions = createRequire(import.meta.url)(PACKAGE);

const diagram = (processId) => `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
    xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
    xmlns:di="http://www.omg.org/spec/DD/20100524/DI"
    xmlns:modeler="http://camunda.org/schema/modeler/1.0"
    targetNamespace="http://bpmn.io/schema/bpmn"
    modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.6.0">
  <bpmn:process id="${processId}" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>in</bpmn:outgoing></bpmn:startEvent>
    <bpmn:task id="ask"><bpmn:incoming>in</bpmn:incoming><bpmn:outgoing>out</bpmn:outgoing></bpmn:task>
    <bpmn:endEvent id="end"><bpmn:incoming>out</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="in" sourceRef="start" targetRef="ask" />
    <bpmn:sequenceFlow id="out" sourceRef="ask" targetRef="end" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="diagram">
    <bpmndi:BPMNPlane id="plane" bpmnElement="${processId}">
      <bpmndi:BPMNShape id="startShape" bpmnElement="start"><dc:Bounds x="0" y="120" width="36" height="36" /></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="askShape" bpmnElement="ask"><dc:Bounds x="100" y="100" width="100" height="80" /></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="endShape" bpmnElement="end"><dc:Bounds x="300" y="120" width="36" height="36" /></bpmndi:BPMNShape>
      <bpmndi:BPMNEdge id="inEdge" bpmnElement="in"><di:waypoint x="36" y="138" /><di:waypoint x="100" y="140" /></bpmndi:BPMNEdge>
      <bpmndi:BPMNEdge id="outEdge" bpmnElement="out"><di:waypoint x="200" y="140" /><di:waypoint x="300" y="138" /></bpmndi:BPMNEdge>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>`;

/** The template with values typed into the fields that a user sees. */
function filledIn(template, values) {
  const properties = template.properties.map((property) => {
    const name = property.binding.name ?? property.binding.key ?? property.binding.property;
    const typed = property.type === "Hidden" ? undefined : values[name];
    return typed === undefined ? property : { ...property, value: typed };
  });
  return { ...template, properties };
}

const asked = JSON.parse(await readFile(process.argv[2], "utf8"));
const diagrams = {};
for (const [name, { version, values }] of Object.entries(asked)) {
  const template = versions.find((each) => (each.version ?? 0) === version);
  const filled = JSON.stringify(filledIn(template, values));
  diagrams[name] = await applyTemplate(diagram(name), filled, "ask");
}
console.log(JSON.stringify(diagrams));
