// Draws diagrams as Modeler does and measures what a person sees. Arguments: the browser, a folder
// for pictures, then BPMN files. Prints {file: {warnings, collisions}}: a collision is two things
// that lie on each other, or a text that does not fit into its task.
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import { withPage } from "./browser.mjs";

const [browser, pictures, ...files] = process.argv.slice(2);

const library = {
  script: "bpmn-js/dist/bpmn-navigated-viewer.production.min.js",
  styles: ["bpmn-js/dist/assets/diagram-js.css", "bpmn-js/dist/assets/bpmn-js.css"],
};

/** Runs in the page: imports the diagram and measures boxes in the diagram's own pixels. */
async function measure(xml) {
  globalThis.viewer?.destroy();
  const viewer = (globalThis.viewer = new globalThis.BpmnJS({ container: "#canvas" }));
  const { warnings } = await viewer.importXML(xml);
  const canvas = viewer.get("canvas");
  canvas.zoom("fit-viewport");

  const elements = viewer.get("elementRegistry").filter((element) => element.parent);
  const isConnection = (element) => Boolean(element.waypoints);
  const isLabel = (element) => Boolean(element.labelTarget);
  const bodyOf = ({ x, y, width, height }) => ({ x, y, width, height });
  const textOf = (element) => {
    const text = canvas.getGraphics(element).querySelector("text");
    if (!text) return null;
    const { x, y, width, height } = text.getBBox();
    return { x: element.x + x, y: element.y + y, width, height };
  };
  const overlap = (a, b) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  const within = (a, b) =>
    a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;
  // Lines are level or upright, so each segment is a box without depth.
  const segmentsOf = ({ waypoints }) =>
    waypoints.slice(1).map((end, i) => ({
      x: Math.min(waypoints[i].x, end.x),
      y: Math.min(waypoints[i].y, end.y),
      width: Math.abs(waypoints[i].x - end.x),
      height: Math.abs(waypoints[i].y - end.y),
    }));

  const boxes = elements
    .filter((element) => !isConnection(element))
    .map((element) => ({
      id: element.id,
      element,
      box: isLabel(element) ? textOf(element) : bodyOf(element),
    }));
  const collisions = [];
  boxes.forEach((one, i) => {
    for (const other of boxes.slice(i + 1))
      if (overlap(one.box, other.box)) collisions.push(`${one.id} lies on ${other.id}`);
  });
  for (const connection of elements.filter(isConnection)) {
    const { id, waypoints, source, target } = connection;
    if (waypoints.slice(1).some((end, i) => end.x !== waypoints[i].x && end.y !== waypoints[i].y))
      collisions.push(`${id} is slanted`);
    for (const { id: other, element, box } of boxes)
      if (element !== source && element !== target)
        if (segmentsOf(connection).some((segment) => overlap(segment, box)))
          collisions.push(`${id} crosses ${other}`);
  }
  for (const element of elements.filter((each) => !isConnection(each) && !isLabel(each))) {
    const text = textOf(element);
    if (text && !within(text, bodyOf(element))) collisions.push(`${element.id} is too small`);
  }
  return { warnings: warnings.map(String), collisions };
}

const reports = {};
await withPage(browser, library, async (page) => {
  for (const file of files) {
    reports[file] = await page.evaluate(measure, await readFile(file, "utf8"));
    await page.screenshot({ path: join(pictures, `${basename(file, ".bpmn")}.png`) });
  }
});
console.log(JSON.stringify(reports));
