// What a page shows when it is empty, while it loads, and when it failed: in both languages, and it must find its way back.
import { axe, dress, overflow, settled, visit } from './lib.mjs';

const SIZES = { zh: { width: 390, height: 844 }, en: { width: 1280, height: 720 } };

/** A page in one language whose list `answer` answers; `look` says what is wrong with what is shown. */
async function look(open, role, path, api, lang, answer, seen) {
  const { page, faults } = await open(role);
  const pattern = new RegExp(`/api/v1${api}(\\?|$)`);
  // Somewhere else first, and really there: what was open before would keep what it has.
  await visit(page, 'account');
  await settled(page);
  await page.setViewportSize(SIZES[lang]);
  await dress(page, lang, lang === 'zh' ? 'dark' : 'light');
  await page.route(pattern, answer);
  await visit(page, path);
  const found = [];
  try {
    found.push(...await seen(page, async () => page.unroute(pattern)), ...await axe(page), ...await overflow(page));
  } finally {
    await page.unroute(pattern);
  }
  return [...found, ...faults.splice(0)];
}
const json = (route, status, body) => route.fulfill({ status, contentType: status === 200 ? 'application/json' : 'application/problem+json', body: JSON.stringify(body) });

const EMPTY = {
  zh: ['还没有来源', '设备开始发送后会出现在这里。'],
  en: ['No source yet', 'A device appears here when it begins to send.'],
};
async function empty({ open }) {
  const found = [];
  for (const lang of ['zh', 'en']) {
    found.push(...await look(open, 'operator', 'sources', '/sources', lang, (route) => json(route, 200, []), async (page) => {
      for (const words of EMPTY[lang]) await page.locator('.empty').getByText(words).waitFor();
      return [];
    }));
  }
  return found;
}

const FAILED = { zh: ['暂时无法处理', '重试'], en: ['Not possible now', 'Try again'] };
async function failing({ open }) {
  const found = [];
  for (const lang of ['zh', 'en']) {
    const problem = { type: 'urn:weir:problem:unavailable', title: 'Unavailable', status: 503, detail: 'The disk is full: nothing is taken in until there is room.', todo: 'Make room on the disk of the data folder, then try again.' };
    found.push(...await look(open, 'audit-admin', 'ledger', '/ledger', lang, (route) => json(route, 503, problem), async (page, mend) => {
      const alert = page.getByRole('alert');
      await alert.getByText(FAILED[lang][0]).waitFor();
      const wrong = await axe(page);
      await mend();
      await alert.getByRole('button', { name: FAILED[lang][1] }).click();
      await alert.waitFor({ state: 'detached' });
      await settled(page);
      return wrong;
    }));
  }
  return found;
}

async function loading({ open }) {
  const found = [];
  for (const lang of ['zh', 'en']) {
    let go = () => undefined;
    const held = new Promise((done) => { go = done; });
    found.push(...await look(open, 'system-admin', 'settings', '/settings', lang, async (route) => { await held; await route.fallback(); }, async (page) => {
      await page.getByRole('status', { name: lang === 'zh' ? '正在加载' : 'Loading' }).first().waitFor();
      const wrong = await axe(page);
      go();
      await page.getByText('store.seal_every').first().waitFor();
      await settled(page);
      return wrong;
    }));
    go();
  }
  return found;
}

export const STATES = [
  ['nothing there yet: it is said, and what to do', empty],
  ['a failure is said, and trying again mends it', failing],
  ['what loads is shown to load, then is there', loading],
];
