// A page in the Debian package's Chromium, for the scripts that look at what Modeler would show.
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

// By path: some packages do not export the bundles that they ship for browsers.
const shipped = (file) => fileURLToPath(new URL(`../../node_modules/${file}`, import.meta.url));

// No sandbox, since tests run as root in containers; the rest keeps the browser off the network.
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Opens an empty page with a library's script and styles in it, and closes it after `use`. */
export async function withPage(executablePath, { script, styles }, use) {
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
    await page.setContent('<!doctype html><div id="canvas" style="height: 880px"></div>');
    for (const style of styles) await page.addStyleTag({ path: shipped(style) });
    await page.addScriptTag({ path: shipped(script) });
    await use(page);
  } finally {
    await browser.close();
  }
}
