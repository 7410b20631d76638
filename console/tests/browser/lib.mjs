// What every browser test needs: Chromium, a signed-in context, and the rules that hold on every page.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axeText = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const CHROMIUM = process.env.WEIR_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launch = () => chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });

/** Six digits of RFC 6238 for a base32 secret. */
export function totp(secret, at = Date.now()) {
  const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', key).update(counter).digest();
  const from = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const lastStep = new Map();
/** A code that was not given before: a step's code works once. The next step's is taken too (RFC 6238, section 5.2); beyond it the clock is waited for. */
export async function freshCode(secret) {
  const step = Math.max(Math.floor(Date.now() / 30_000), (lastStep.get(secret) ?? 0) + 1);
  lastStep.set(secret, step);
  const wait = (step - 1) * 30_000 - Date.now();
  if (wait > 0) await new Promise((go) => setTimeout(go, wait));
  return totp(secret, step * 30_000);
}

export const SIZES = { wide: { width: 1280, height: 720 }, narrow: { width: 390, height: 844 } };
export const LANGS = ['zh', 'en'];
export const THEMES = ['light', 'dark'];

/** Of a context: requests under way, and every address that was asked for or shown. */
const watched = new WeakMap();
function watch(context) {
  const seen = { pending: new Set(), waiting: [], urls: [] };
  watched.set(context, seen);
  const over = (request) => {
    seen.pending.delete(request);
    if (seen.pending.size === 0) seen.waiting.splice(0).forEach((go) => go());
  };
  context.on('request', (request) => {
    seen.urls.push(request.url());
    if (/\/(api|assets)\//.test(request.url())) seen.pending.add(request);
  });
  context.on('requestfinished', over);
  context.on('requestfailed', over);
  context.on('page', (page) => {
    page.on('framenavigated', (frame) => seen.urls.push(frame.url()));
    page.on('close', () => { for (const r of [...seen.pending]) over(r); });
  });
}
/** Addresses, of requests or of the page itself, in which one of these texts stands. */
export function told(page, ...texts) {
  const plain = (text) => { try { return decodeURIComponent(text.replace(/\+/g, ' ')); } catch { return text; } };
  return watched.get(page.context()).urls.filter((url) => texts.some((text) => url.includes(text) || plain(url).includes(text))).map((url) => `an address tells what was typed: ${url}`);
}

/** A context that writes down console errors, broken rules of the policy, and requests to elsewhere. */
export async function contextOf(browser, base) {
  const context = await browser.newContext({ viewport: SIZES.wide, locale: 'zh-CN', timezoneId: 'America/New_York', ignoreHTTPSErrors: true, acceptDownloads: true, reducedMotion: 'reduce' });
  watch(context);
  const faults = [];
  const origin = new URL(base).origin;
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`));
  });
  context.on('console', (message) => {
    // The network's own line about a refused request: refusals are part of what is tested.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) faults.push(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => faults.push(`exception: ${error.error().message}`));
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) faults.push(`request to elsewhere: ${request.url()}`);
  });
  return { context, faults };
}

/** Language and theme, as another tab would choose them: the page follows without being loaded again. */
export async function dress(page, lang, theme) {
  await page.evaluate(([l, t]) => {
    localStorage.setItem('weir-lang', l);
    localStorage.setItem('weir-theme', t);
    window.dispatchEvent(new StorageEvent('storage'));
  }, [lang, theme]);
}

/** Goes to a page of the console, within the page that is open where there is one. */
export async function visit(page, path) {
  if (page.url().startsWith(page.base)) await page.evaluate((hash) => { window.location.hash = hash; }, `#/${path}`);
  else await page.goto(`${page.base}/#/${path}`);
}

/** Nothing is loading any more and every animation is over. */
export async function settled(page) {
  const drawn = () => page.evaluate(() => new Promise((go) => { requestAnimationFrame(() => requestAnimationFrame(go)); }));
  const { pending, waiting } = watched.get(page.context());
  await drawn();
  // What one answer asks for anew is waited for too.
  while (pending.size > 0) {
    await new Promise((go) => { waiting.push(go); });
    await drawn();
  }
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton-active, .ant-spin-spinning'));
  await page.waitForFunction(() => document.getAnimations().every((a) => a.playState !== 'running' || a.effect?.getComputedTiming().iterations === Infinity));
}

const strict = Boolean(process.env.WEIR_CI ?? process.env.WEIR_CONSOLE_STRICT);
const notShown = [];
/** What this program or this machine has no way to show: said by name at the end of the run, and a fault under `WEIR_CI` or `WEIR_CONSOLE_STRICT`. */
export function missing(what) {
  notShown.push(what);
  return strict ? [`not shown: ${what}`] : [];
}
export const unseen = () => [...notShown];

/** axe-core: nothing serious or critical. The policy forbids foreign scripts; the debugger's own are not asked. */
export async function axe(page) {
  if (!await page.evaluate(() => Boolean(globalThis.axe))) await page.evaluate(axeText);
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return result.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${(n.any[0]?.message ?? n.all[0]?.message ?? '').slice(0, 160)}`).join(' | ')}`);
  });
  return found;
}

/** Does the page stick out to the side? */
export const overflow = (page) => page.evaluate(() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room + 1) return [];
  return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > room + 1 && !e.closest('.ant-table-content, .ant-drawer, pre, .chart-table, .matrix, .unseen')).slice(0, 4).map((e) => `sticks out: ${e.tagName.toLowerCase()}.${e.className?.toString?.().slice(0, 60)}`);
});
