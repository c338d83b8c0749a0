// Reads and writes diagrams as Modeler does on saving. Arguments: BPMN files.
// Prints {file: {warnings, xml}}.
import { readFile } from "node:fs/promises";

import { moddle } from "./element_template.mjs";

const reports = {};
for (const file of process.argv.slice(2)) {
  const { rootElement, warnings } = await moddle.fromXML(await readFile(file, "utf8"));
  const { xml } = await moddle.toXML(rootElement, { format: true });
  reports[file] = { warnings: warnings.map(String), xml };
}
console.log(JSON.stringify(reports));
