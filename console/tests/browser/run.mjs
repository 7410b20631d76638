// Every page in both languages, both themes and both sizes, in a real Chromium: it is there, nothing is logged as an error, no rule of the
// policy is broken, nothing is asked of another origin, nothing sticks out, and axe-core finds nothing serious.
//
//   node tests/browser/run.mjs                              against the development server (made-up data)
//   WEIR_CONSOLE_URL=… WEIR_CONSOLE_SETUP=LINK node …       against a program that has no account yet: plays through set-up first
//   WEIR_CONSOLE_URL=… WEIR_CONSOLE_PEOPLE=FILE node …      against one that has: {role: {login, password, totp}}
//   WEIR_CONSOLE_ONLY=lookup                                only pages whose name begins so; `journeys`: only what people do; `states`: only empty, loading, failing;
//                                                           `journeys:WORD`: only those in whose name the word is
//   WEIR_CONSOLE_STRICT=1 (or WEIR_CI=1)                    what a program cannot show (no provider, no log line, …) is a failure; else it is named at the end
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ACCESS } from './access.mjs';
import { FIELDS } from './fields.mjs';
import { JOURNEYS } from './journeys.mjs';
import { LANGS, SIZES, THEMES, axe, contextOf, dress, launch, overflow, settled, unseen, visit } from './lib.mjs';
import { given, setUp, signIn } from './people.mjs';
import { STATES } from './states.mjs';

const PAGES = [
  ['operator', 'overview'], ['operator', 'lookup'], ['operator', 'records'], ['operator', 'sources'], ['operator', 'sources/guides'], ['operator', 'account'],
  ['system-admin', 'users'], ['system-admin', 'settings'], ['system-admin', 'approvals?show=all'], ['security-admin', 'approvals'], ['audit-admin', 'ledger'], ['audit-admin', 'records'],
  ['inspector', 'overview'], ['approver', 'nowhere'], [null, ''], [null, 'welcome/0123456789abcdef0123456789abcdef'], [null, 'welcome'],
];
let passed = 0;
const failed = [];
function judge(name, faults) {
  if (faults.length === 0) passed += 1;
  else {
    failed.push(name);
    console.error(`FAILED ${name}\n  ${[...new Set(faults)].join('\n  ')}`);
  }
}

/** The program under test: given, or the development server, which is ended with this run. */
async function server() {
  if (process.env.WEIR_CONSOLE_URL) return { base: process.env.WEIR_CONSOLE_URL.replace(/\/$/, ''), setup: process.env.WEIR_CONSOLE_SETUP ?? null, end: () => undefined };
  const child = spawn(process.execPath, [new URL('../../dev/server.mjs', import.meta.url).pathname, '--setup'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((go, no) => {
    createInterface({ input: child.stdout }).once('line', go);
    child.once('exit', () => no(new Error('the development server ended')));
  });
  const told = JSON.parse(line);
  return { base: told.url, setup: told.setup, end: () => child.kill() };
}

async function matrix(open, only) {
  for (const [role, path] of PAGES.filter(([, p]) => p.startsWith(only))) {
    const { page, faults } = await open(role);
    await visit(page, path);
    const all = Object.keys(SIZES).flatMap((size) => LANGS.flatMap((lang) => THEMES.map((theme) => [size, lang, theme])));
    for (const [n, [size, lang, theme]] of all.entries()) {
      const found = [];
      try {
        await page.setViewportSize(SIZES[size]);
        await dress(page, lang, theme);
        // Dressed while it is open; the last of them is loaded anew, and must have been kept.
        if (n === all.length - 1) await page.reload();
        await page.locator('h1').first().waitFor();
        await settled(page);
        const dressed = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]);
        if (dressed[0] !== (lang === 'zh' ? 'zh-CN' : 'en') || dressed[1] !== theme) found.push(`shown as ${dressed}`);
        found.push(...await axe(page), ...await overflow(page));
      } catch (error) {
        found.push(error.message.split('\n')[0]);
      }
      judge(`${role ?? 'nobody'} ${path || 'sign-in'} ${lang} ${theme} ${size}`, [...found, ...faults.splice(0)]);
    }
  }
}

const { base, setup, end } = await server();
const browser = await launch();
const began = performance.now();
try {
  const opened = new Map();
  const fresh = async () => {
    const { context, faults } = await contextOf(browser, base);
    const page = await context.newPage();
    page.base = base;
    return { page, faults };
  };
  let people = given();
  const setupFaults = [];
  if (!people) {
    if (!setup) throw new Error('no account is known: give WEIR_CONSOLE_SETUP (the one-use link) or WEIR_CONSOLE_PEOPLE (a file)');
    people = await setUp(async () => {
      const { page, faults } = await fresh();
      page.on('close', () => setupFaults.push(...faults));
      return page;
    }, setup);
    judge('set-up: seven people accept their links and enrol', setupFaults);
  }
  /** One signed-in page a role; nobody's is kept too. */
  const open = async (role) => {
    if (!opened.has(role)) {
      const made = await fresh();
      if (role) await signIn(made.page, base, people[role]);
      else await made.page.goto(base);
      opened.set(role, made);
    }
    return opened.get(role);
  };
  const only = process.env.WEIR_CONSOLE_ONLY ?? '';
  if (!/^(states|journeys)/.test(only)) await matrix(open, only);
  const groups = [['states', STATES], ['journeys', [...JOURNEYS, ...ACCESS, ...FIELDS]]].filter(([group]) => !only || group === only.split(':')[0]);
  for (const [, list] of groups) {
    for (const [name, journey] of list.filter(([n]) => n.includes(only.split(':')[1] ?? ''))) {
      const start = performance.now();
      const found = [];
      let seen = [];
      try {
        seen = await journey({ open, fresh, people, base });
      } catch (error) {
        found.push(error.message.split('\n').slice(0, 3).join(' '));
      }
      const took = Math.round((performance.now() - start) / 100) / 10;
      console.log(`journey: ${String(took).padStart(5)} s  ${name}`);
      judge(name, [...found, ...(seen ?? [])]);
    }
  }
} finally {
  await browser.close();
  end();
}
console.log(`console in Chromium: ${Math.round((performance.now() - began) / 1000)} s`);
for (const what of unseen()) console.log(`NOT SHOWN: ${what}`);
console.log(`${passed} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
