// Shows a form with data as Tasklist does. Arguments: the browser, a picture to write, the form,
// its data as JSON. Prints {warnings, text, fields}: what a person reads, and what can be filled in.
import { readFile } from "node:fs/promises";

import { withPage } from "./browser.mjs";

const [browser, picture, form, data] = process.argv.slice(2);

const library = {
  script: "@bpmn-io/form-js/dist/form-viewer.umd.js",
  styles: ["@bpmn-io/form-js/dist/assets/form-js.css"],
};

async function show([schema, variables]) {
  const container = document.querySelector("#canvas");
  const form = new globalThis.FormViewer.Form({ container });
  const { warnings } = await form.importSchema(schema, variables);
  await new Promise(requestAnimationFrame);
  return {
    warnings: warnings.map(String),
    text: container.innerText,
    fields: Object.keys(form.submit().data),
  };
}

await withPage(browser, library, async (page) => {
  const schema = JSON.parse(await readFile(form, "utf8"));
  console.log(JSON.stringify(await page.evaluate(show, [schema, JSON.parse(data)])));
  await page.screenshot({ path: picture });
});
