// Goes through a list of steps on devstack's page and prints as JSON what the reading ones found.
//
// node look.mjs CHROMIUM URL '[{"click": "#a"}, {"read": "#b"}, …]' [SCREENSHOT]
import { chromium } from "playwright-core";

const [executablePath, url, script, screenshot] = process.argv.slice(2);
// It only ends a look that hangs, before its caller loses patience: so it says at which step.
const PATIENCE_MS = 60_000;
const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
const browser = await chromium.launch({ executablePath, args, timeout: PATIENCE_MS });
const found = [];
const faults = [];
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(url);
  await page.waitForSelector("#connection:text('live')");
  for (const step of JSON.parse(script)) {
    if (step.width) await page.setViewportSize({ width: step.width, height: 900 });
    if (step.click) await page.click(step.click);
    if (step.fill) await page.fill(step.fill, step.text);
    if (step.wait) await page.waitForSelector(step.wait);
    if (step.read) found.push(await page.locator(step.read).first().innerText());
    if (step.count) found.push(await page.locator(step.count).count());
    if (step.visible) found.push(await isOnTop(page, step.visible));
  }
  if (screenshot) await page.screenshot({ path: screenshot });
} finally {
  await browser.close();
}
if (faults.length) throw new Error(faults.join("\n"));
console.log(JSON.stringify(found));

/** Whether a click in the middle of an element would meet it, so that nothing lies over it. */
async function isOnTop(page, selector) {
  return page.locator(selector).evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    const met = document.elementFromPoint(left + width / 2, top + height / 2);
    return width > 0 && element.contains(met);
  });
}
