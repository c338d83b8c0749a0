// Applies a template to bare tasks with the values that the tasks of a diagram carry.
// Arguments: the template, then BPMN files. Prints {file: {task: {carried, written}}}: what the
// diagram's task has, and what Camunda's own tool writes for the same choices.
import { readFile } from "node:fs/promises";

import { applied, binding, filledIn, moddle, readTemplate } from "./element_template.mjs";

const [templateFile, ...files] = process.argv.slice(2);
const template = await readTemplate(templateFile);

const reports = {};
for (const file of files) {
  const { elementsById } = await moddle.fromXML(await readFile(file, "utf8"));
  reports[file] = {};
  for (const [id, element] of Object.entries(elementsById)) {
    if (element.get("zeebe:modelerTemplate") !== template.id) continue;
    const carried = binding(element);
    const written = binding(await applied(filledIn(template, carried), id));
    reports[file][id] = { carried, written };
  }
}
console.log(JSON.stringify(reports));
