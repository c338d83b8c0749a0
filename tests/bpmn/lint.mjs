// Lints diagrams as Modeler does. Arguments: a version of Camunda ("8-6"), then BPMN files.
// Prints {file: [{rule, element, message, category}]}.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { Linter } from "bpmnlint";

import { moddle } from "./element_template.mjs";

const require = createRequire(import.meta.url);
const NodeResolver = require("bpmnlint/lib/resolver/node-resolver");

const [version, ...files] = process.argv.slice(2);
const linter = new Linter({
  resolver: new NodeResolver({ require }),
  config: {
    extends: ["bpmnlint:recommended", `plugin:camunda-compat/camunda-cloud-${version}`],
  },
});

const reports = {};
for (const file of files) {
  const { rootElement } = await moddle.fromXML(await readFile(file, "utf8"));
  reports[file] = Object.entries(await linter.lint(rootElement)).flatMap(([rule, found]) =>
    found.map(({ id, message, category }) => ({ rule, element: id, message, category })),
  );
}
console.log(JSON.stringify(reports));
