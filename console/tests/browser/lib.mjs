// What every browser test needs: Chromium, a signed-in context, and the rules that hold on every page.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
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

/** A context that writes down console errors, broken rules of the policy, and requests to elsewhere. */
export async function contextOf(browser, base) {
  const context = await browser.newContext({ viewport: SIZES.wide, locale: 'zh-CN', timezoneId: 'America/New_York', ignoreHTTPSErrors: true, acceptDownloads: true, reducedMotion: 'reduce' });
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

export async function dress(page, lang, theme) {
  await page.evaluate(([l, t]) => {
    localStorage.setItem('weir-lang', l);
    localStorage.setItem('weir-theme', t);
  }, [lang, theme]);
}

/** Nothing is loading any more and every animation is over. */
export async function settled(page) {
  await page.waitForLoadState('networkidle').catch(() => undefined);
  await page.waitForFunction(() => !document.querySelector('.ant-skeleton-active, .ant-spin-spinning'));
  await page.waitForFunction(() => document.getAnimations().every((a) => a.playState !== 'running' || a.effect?.getComputedTiming().iterations === Infinity));
}

/** axe-core: nothing serious or critical. The policy forbids foreign scripts; the debugger's own are not asked. */
export async function axe(page) {
  await page.evaluate(readFileSync(axeSource, 'utf8'));
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
