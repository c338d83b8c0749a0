// Applies a template to a bare task for each of several choices. Arguments: the template, then
// choices as JSON: [{input: value}]. Prints [{input: source}]: what Camunda's own tool writes.
import { applied, binding, filledIn, readTemplate } from "./element_template.mjs";

const [templateFile, choices] = process.argv.slice(2);
const template = await readTemplate(templateFile);
const defaults = binding(await applied(template, "task"));

const written = [];
for (const chosen of JSON.parse(choices)) {
  const inputs = { ...defaults.inputs, ...chosen };
  const element = await applied(filledIn(template, { ...defaults, inputs }), "task");
  written.push(binding(element).inputs);
}
console.log(JSON.stringify(written));
