// What is wrong is said where it is wrong, and what was typed stays: fields of the settings, the look-up, records and ledger; addresses that lead nowhere; links
// that ended.
import { axe, dress, settled, visit } from './lib.mjs';

const main = (page) => page.locator('#main');
const WIDE = { width: 1280, height: 720 };
const NARROW = { width: 390, height: 844 };

/** A role's own page in one language, at one size. */
async function at(open, role, path, lang, size) {
  const opened = await open(role);
  await opened.page.setViewportSize(size);
  await dress(opened.page, lang, lang === 'zh' ? 'dark' : 'light');
  // Anew: what was filled in before is gone.
  await visit(opened.page, 'account');
  await visit(opened.page, path);
  await main(opened.page).locator('h1').waitFor();
  await settled(opened.page);
  return opened;
}
const BOTH = [['en', WIDE], ['zh', NARROW]];

/** Settings: a value that is refused says so in its own row, in the reader's language, while it waits and when it is opened again. */
async function settings({ open }) {
  const found = [];
  for (const [lang, size] of BOTH) {
    const { page, faults } = await at(open, 'system-admin', 'settings', lang, size);
    const change = lang === 'zh' ? '修改 store.wal_bytes' : 'Change store.wal_bytes';
    await page.getByRole('button', { name: change }).click();
    await page.getByRole('textbox', { name: 'store.wal_bytes' }).fill('-1');
    await page.getByRole('button', { name: lang === 'zh' ? '加入修改' : 'Take', exact: true }).click();
    const cell = main(page).locator('.cell', { hasText: '-1' });
    const said = cell.getByRole('alert');
    await said.waitFor();
    if (/[\u4e00-\u9fff]/.test(await said.textContent()) !== (lang === 'zh')) found.push(`settings ${lang}: ${await said.textContent()}`);
    found.push(...await axe(page));
    await page.getByRole('button', { name: change }).click();
    const field = page.getByRole('textbox', { name: 'store.wal_bytes' });
    if (await field.inputValue() !== '-1') found.push('settings: what was typed is gone');
    await main(page).locator('form.stack.tight').getByRole('alert').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: lang === 'zh' ? '放弃修改' : 'Drop the changes', exact: true }).click();
    found.push(...faults.splice(0));
  }
  return found;
}

/** Where every field of a form stands. */
const places = (page) => page.locator('form .filters').evaluate((all) => [...all.children].filter((one) => !one.matches('.fault')).map((one) => {
  const { x, y, width, height } = one.getBoundingClientRect();
  return [x, y, width, height].map(Math.round).join(' ');
}));
/** Times that do not fit are said below the fields, named by them, and move none of them. */
async function span(page, inputs, type, words, button) {
  const before = await places(page);
  await type();
  const fault = page.locator('form .filters .fault');
  await fault.getByText(words, { exact: true }).waitFor();
  const found = await axe(page);
  const after = await places(page);
  if (before.join() !== after.join()) found.push(`a field moved: ${before.join(' | ')} became ${after.join(' | ')}`);
  const id = await fault.getAttribute('id');
  const named = await inputs.evaluateAll((all, of) => all.some((one) => one.getAttribute('aria-describedby') === of && one.getAttribute('aria-invalid') === 'true'), id);
  if (!named) found.push('no field says what is wrong with it');
  if (!await page.getByRole('button', { name: button, exact: true }).isDisabled()) found.push('it can be asked all the same');
  return found;
}

async function records({ open }) {
  const found = [];
  for (const [lang, size] of BOTH) {
    const { page, faults } = await at(open, 'operator', 'records', lang, size);
    await page.getByRole('tab').first().click();
    const inputs = page.locator('.ant-picker-range input');
    const type = async () => {
      await inputs.nth(0).fill('2026-11-23 10:00:00');
      await inputs.nth(0).press('Enter');
      await inputs.nth(1).fill('2026-11-22 10:00:00');
      await inputs.nth(1).press('Enter');
      await page.locator('.ant-picker-dropdown').waitFor({ state: 'hidden' });
    };
    found.push(...await span(page, inputs, type, lang === 'zh' ? '起始时间晚于结束时间：请对调。' : 'From is later than To: exchange them.', lang === 'zh' ? '查看' : 'Show'));
    const values = await inputs.evaluateAll((all) => all.map((one) => one.value));
    if (values.join() !== '2026-11-23 10:00:00,2026-11-22 10:00:00') found.push(`what was typed became ${values}`);
    found.push(...faults.splice(0));
  }
  return found;
}

async function ledger({ open }) {
  const found = [];
  for (const [lang, size] of BOTH) {
    const { page, faults } = await at(open, 'audit-admin', 'ledger', lang, size);
    const inputs = page.locator('form .filters label input');
    const button = lang === 'zh' ? '筛选' : 'Filter';
    const type = async () => {
      await inputs.nth(0).fill('2026-11-23 10:00');
      await inputs.nth(1).fill('2026-11-22 10:00');
    };
    found.push(...await span(page, inputs, type, lang === 'zh' ? '起始时间晚于结束时间：请对调，或留空其中之一。' : 'From is later than To: exchange them, or leave one out.', button));
    await inputs.nth(1).fill('');
    await inputs.nth(0).fill('');
    const odd = async () => inputs.nth(0).fill('yesterday');
    found.push(...await span(page, inputs, odd, lang === 'zh' ? '时间请写成 2026-11-22 10:00。' : 'Write times as 2026-11-22 10:00.', button));
    await inputs.nth(0).fill('');
    found.push(...faults.splice(0));
  }
  return found;
}

/** A port that is none: what was pasted stands in the field, what to write beside it; put right there, it is answered. Among others it keeps them from being asked. */
async function port({ open }) {
  const found = [];
  for (const [lang, size] of BOTH) {
    const { page, faults } = await at(open, 'operator', 'lookup', lang, size);
    const paste = async (text) => {
      await page.locator('.lookup-in textarea').fill(text);
      await page.locator('.lookup-in .panel .row button').first().click();
      await settled(page);
    };
    const words = lang === 'zh' ? /端口应为 1 至 65535：请写成/ : /a port is 1 to 65535: write it as/;
    await paste('203.0.113.7:70000 2026-11-22 10:00:00');
    const field = page.locator('.one-form input').first();
    await page.getByText(words).waitFor();
    if (await field.inputValue() !== '203.0.113.7:70000') found.push(`the port that was typed is gone: ${await field.inputValue()}`);
    if (await page.locator('.one-form input').nth(1).inputValue() === '') found.push('the time that was typed is gone');
    await page.locator('.one-form .hint.err').first().filter({ hasText: '203.0.113.7:40123' }).waitFor();
    found.push(...await axe(page));
    await field.fill('203.0.113.7:40122');
    await page.getByText(words).waitFor({ state: 'detached' });
    await page.locator('.ant-radio-button-wrapper').nth(2).click();
    await page.locator('.lookup-in form button[type=submit]').click();
    await page.locator('.verdict-box').waitFor();
    await page.getByRole('button', { name: lang === 'zh' ? '新查询' : 'New question' }).click();
    await paste('203.0.113.7:40122 2026-11-22 10:00:00 tcp\n203.0.113.7:70000 2026-11-22 10:00:00 tcp');
    const row = page.locator('.drafts li').nth(1);
    await row.getByText(words).waitFor();
    if (await row.locator('input').first().inputValue() !== '203.0.113.7:70000') found.push('the port in the red row is gone');
    if (!await page.locator('.lookup-in form button[type=submit]').isDisabled()) found.push('a list with a line that cannot be asked can be asked');
    found.push(...await axe(page));
    await row.locator('input').first().fill('203.0.113.7:40121');
    await page.locator('.lookup-in form button[type=submit]:enabled').waitFor();
    found.push(...faults.splice(0));
  }
  return found;
}

/** A path that is no page: 404, said in both languages, with a way back. A page's name that was typed as a path leads to it. */
async function lost({ fresh, open, base }) {
  const { page, faults } = await fresh();
  const found = [];
  for (const [lang, size] of BOTH) {
    await page.setViewportSize(size);
    await page.goto(base);
    await dress(page, lang, lang === 'zh' ? 'dark' : 'light');
    for (const path of ['/foo/bar', '/login?next=/records', `/${'long-'.repeat(60)}`]) {
      const answer = await page.goto(`${base}${path}`);
      if (answer.status() !== 404) found.push(`${path}: ${answer.status()}`);
      await page.getByRole('heading', { name: lang === 'zh' ? '没有这个页面' : 'There is no such page' }).waitFor();
      if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1)) found.push(`${path} sticks out`);
    }
    found.push(...await axe(page));
    await page.getByRole('link', { name: lang === 'zh' ? '前往管理台' : 'Go to the desk' }).click();
    await page.locator('input[autocomplete=username]').waitFor();
  }
  await page.context().close();
  const inside = await open('operator');
  await inside.page.setViewportSize(WIDE);
  await dress(inside.page, 'en', 'light');
  for (const [path, hash] of [['/lookup', '#/lookup'], ['/sources/guides/', '#/sources/guides'], ['/approvals?show=mine', '#/approvals?show=mine'], ['/records#/account', '#/account'], ['/', '']]) {
    const answer = await inside.page.goto(`${base}${path}`);
    await main(inside.page).locator('h1').waitFor();
    const { hash: now, pathname } = new URL(inside.page.url());
    if (answer.status() !== 200 || now !== hash || pathname !== '/') found.push(`${path} became ${answer.status()} ${pathname}${now}`);
    if (await inside.page.getByText('There is no such page').count() > 0) found.push(`${path}: no page`);
  }
  return [...found, ...faults, ...inside.faults.splice(0)];
}

/** A link that ended: the title says how. What the program would say is given here; that it says it, its own tests show. */
async function ended({ fresh, base }) {
  const { page, faults } = await fresh();
  const found = [];
  const ends = [
    ['link-used', '链接已使用过', 'This link was used', 'This link was used: it opens once.'],
    ['link-expired', '链接已过期', 'This link has expired', 'The time of this link is over.'],
    ['link-void', '链接已作废', 'This link is void', 'This link is void: a newer one of the same account took its place.'],
  ];
  let end = ends[0];
  await page.route('**/api/v1/invitations/open', (route) => route.fulfill({ status: 410, contentType: 'application/problem+json', body: JSON.stringify({ type: `urn:weir:problem:${end[0]}`, title: end[2], status: 410, detail: end[3], todo: 'Ask an administrator for a new one: two persons decide on it anew.' }) }));
  for (end of ends) {
    await page.goto(`${base}/#/`);
    await page.goto(`${base}/#/welcome/0123456789abcdef0123456789abcdef`);
    for (const [n, lang] of ['zh', 'en'].entries()) {
      await dress(page, lang, 'light');
      await page.getByRole('alert').getByRole('heading', { name: end[n + 1], exact: true }).waitFor();
    }
    found.push(...await axe(page));
  }
  // One that never was: the program tells nothing of it, and it is no sign-in either.
  await page.unroute('**/api/v1/invitations/open');
  await page.goto(`${base}/#/`);
  await page.goto(`${base}/#/welcome/0123456789abcdef0123456789abcdef`);
  await page.getByRole('alert').getByRole('heading', { name: 'This link is not known', exact: true }).waitFor();
  await page.context().close();
  return [...found, ...faults];
}

export const FIELDS = [
  ['a refused setting says so at its field', settings],
  ['records: a reversed span is said, and no field moves', records],
  ['ledger: a wrong span is said, and no field moves', ledger],
  ['a port that is none stays in its field and is put right there', port],
  ['a path that is no page is answered 404, and leads back', lost],
  ['a link that ended says how in its title', ended],
];
