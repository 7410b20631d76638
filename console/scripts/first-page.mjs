// How long it takes until the overview is of use: from the navigation's start until its first real figures are painted, in Chromium.
//   WEIR_CONSOLE_URL=… WEIR_CONSOLE_PEOPLE=FILE node scripts/first-page.mjs    (or WEIR_CONSOLE_SETUP=LINK, as tests/browser/run.mjs)
// Signed in; cold: an empty cache, as on the first morning; warm: what the browser has kept. A table in Markdown.
import { contextOf, launch } from '../tests/browser/lib.mjs';
import { given, setUp, signIn } from '../tests/browser/people.mjs';

const RUNS = 11;
const base = process.env.WEIR_CONSOLE_URL?.replace(/\/$/, '');
const link = process.env.WEIR_CONSOLE_SETUP;
if (!base || (!link && !process.env.WEIR_CONSOLE_PEOPLE)) {
  console.error('first-page: give WEIR_CONSOLE_URL of a running program, and WEIR_CONSOLE_SETUP (its one-use link) or WEIR_CONSOLE_PEOPLE (a file)');
  process.exit(2);
}

/** In the page: the moment of the first paint in which every figure of the overview stands. */
const mark = () => {
  const look = () => {
    const figures = [...document.querySelectorAll('.figures dd')];
    if (figures.length < 6 || figures.some((f) => !f.textContent.trim())) return requestAnimationFrame(look);
    // This frame is painted before the next one begins.
    return requestAnimationFrame(() => { window.__useful = performance.now(); });
  };
  requestAnimationFrame(look);
};
async function once(page, cdp) {
  let bytes = 0;
  let requests = 0;
  const sizes = (event) => { bytes += event.encodedDataLength; };
  const asked = (event) => { if (!event.request.url.startsWith('data:')) requests += 1; };
  cdp.on('Network.loadingFinished', sizes);
  cdp.on('Network.requestWillBeSent', asked);
  await page.goto(`${base}/#/overview`, { waitUntil: 'commit' });
  await page.waitForFunction(() => window.__useful !== undefined);
  const useful = await page.evaluate(() => window.__useful);
  const [useBytes, useRequests] = [bytes, requests];
  await page.waitForLoadState('load');
  cdp.off('Network.loadingFinished', sizes);
  cdp.off('Network.requestWillBeSent', asked);
  return { useful, bytes: useBytes, requests: useRequests };
}
const sorted = (list) => [...list].sort((a, b) => a - b);
const median = (list) => sorted(list)[Math.floor(list.length / 2)];
const p90 = (list) => sorted(list)[Math.ceil(list.length * 0.9) - 1];

const browser = await launch();
try {
  const people = given() ?? await setUp(async () => (await contextOf(browser, base)).context.newPage(), link);
  const { context: first } = await contextOf(browser, base);
  const page = await first.newPage();
  await signIn(page, base, people.operator);
  const cookies = await first.cookies();
  await page.close();
  const found = { cold: [], warm: [] };
  for (let run = 0; run < RUNS; run += 1) {
    const { context } = await contextOf(browser, base);
    await context.addCookies(cookies);
    await context.addInitScript(mark);
    const fresh = await context.newPage();
    const cdp = await context.newCDPSession(fresh);
    await cdp.send('Network.enable');
    found.cold.push(await once(fresh, cdp));
    await fresh.goto('about:blank');
    found.warm.push(await once(fresh, cdp));
    await context.close();
  }
  console.log(`First useful page: ${RUNS} runs, Chromium ${browser.version()}, signed in, from the navigation's start to the painted figures of the overview.\n`);
  console.log('| cache | median | 90th percentile | bytes over the wire | requests |\n| --- | ---: | ---: | ---: | ---: |');
  for (const [name, runs] of Object.entries(found)) {
    const times = runs.map((r) => r.useful);
    console.log(`| ${name} | ${Math.round(median(times))} ms | ${Math.round(p90(times))} ms | ${median(runs.map((r) => r.bytes)).toLocaleString('en-US')} | ${median(runs.map((r) => r.requests))} |`);
  }
} finally {
  await browser.close();
}
