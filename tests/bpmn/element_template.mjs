// Our element template, and what it writes on a task: shared by the scripts beside this one.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { BpmnModdle } from "bpmn-moddle";
import { applyTemplate } from "element-templates-cli";

const zeebe = createRequire(import.meta.url)("zeebe-bpmn-moddle/resources/zeebe.json");

export const moddle = new BpmnModdle({ zeebe });

export const readTemplate = async (path) => JSON.parse(await readFile(path, "utf8"));

/** The value that a binding of a template has on an element, `undefined` when it has none. */
const boundValue = (bound, { type, name, key, property }) =>
  ({
    "zeebe:input": () => bound.inputs[name],
    "zeebe:taskHeader": () => bound.headers[key],
    "zeebe:taskDefinition": () => bound.taskDefinition[property],
  })[type]();

/** What a service task carries for Zeebe, in the order in which it carries it. */
export function binding(element) {
  const extensions = element.extensionElements?.get("values") ?? [];
  const extension = (type) => extensions.find((each) => each.$type === type);
  const { $type, ...taskDefinition } = extension("zeebe:TaskDefinition") ?? {};
  return {
    template: element.get("zeebe:modelerTemplate"),
    version: element.get("zeebe:modelerTemplateVersion"),
    icon: element.get("zeebe:modelerTemplateIcon"),
    taskDefinition,
    inputs: Object.fromEntries(
      (extension("zeebe:IoMapping")?.get("inputParameters") ?? []).map((i) => [i.target, i.source]),
    ),
    headers: Object.fromEntries(
      (extension("zeebe:TaskHeaders")?.get("values") ?? []).map((h) => [h.key, h.value]),
    ),
  };
}

/**
 * The template with the values filled in that a user would type: those that `bound` has.
 *
 * Fields that no condition shows stay out of the applied element however they are filled in, so
 * an element that carries an input too many does not come out the same.
 */
export function filledIn(template, bound) {
  const properties = template.properties.map((property) => {
    if (property.type === "Hidden") return property;
    const { value: _default, ...rest } = property;
    const value = boundValue(bound, property.binding);
    return value === undefined ? rest : { ...rest, value };
  });
  return { ...template, properties };
}

const diagram = (taskId) => `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI"
    xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
    xmlns:modeler="http://camunda.org/schema/modeler/1.0"
    targetNamespace="http://bpmn.io/schema/bpmn"
    modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.6.0">
  <bpmn:process id="process" isExecutable="true"><bpmn:task id="${taskId}" /></bpmn:process>
  <bpmndi:BPMNDiagram id="diagram">
    <bpmndi:BPMNPlane id="plane" bpmnElement="process">
      <bpmndi:BPMNShape id="shape" bpmnElement="${taskId}">
        <dc:Bounds x="100" y="100" width="100" height="80" />
      </bpmndi:BPMNShape>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>`;

/** The element that Camunda's own tool makes of a bare task by applying the template to it. */
export async function applied(template, taskId) {
  const xml = await applyTemplate(diagram(taskId), JSON.stringify(template), taskId);
  const { elementsById } = await moddle.fromXML(xml);
  return elementsById[taskId];
}
