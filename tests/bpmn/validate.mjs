// Validates element templates as Modeler does. Arguments: JSON files.
// Prints {file: [message]}, an empty list for a valid one.
import { validateZeebe } from "@bpmn-io/element-templates-validator";

import { readTemplate } from "./element_template.mjs";

const reports = {};
for (const file of process.argv.slice(2)) {
  const { valid, errors } = validateZeebe(await readTemplate(file));
  reports[file] = valid ? [] : errors.map(({ instancePath, message }) => `${instancePath} ${message}`);
}
console.log(JSON.stringify(reports));
