// The accounts that the tests use: given by the environment, or made by playing through set-up in the browser.
import { readFileSync } from 'node:fs';
import { dress, freshCode, settled } from './lib.mjs';

export const PASSWORD = 'a sentence for tests only';
const PEOPLE = [
  ['system-admin', 'sysadmin', '林晓'], ['security-admin', 'secadmin', '周正'], ['operator', 'operator', '王磊'], ['approver', 'approver', '陈立'],
  ['reviewer', 'reviewer', '赵敏'], ['inspector', 'inspector', '检查组'], ['audit-admin', 'audit', '何静'],
];

/** A signed-in page of a role. */
export async function signIn(page, base, person) {
  await page.goto(`${base}/#/`);
  await page.locator('input[autocomplete=username]').fill(person.login);
  await page.locator('input[autocomplete=current-password]').fill(person.password);
  await page.locator('form button[type=submit]').click();
  const code = page.locator('#code');
  const inside = page.locator('#main');
  await code.or(inside).first().waitFor();
  if (await code.isVisible()) await code.fill(await freshCode(person.totp));
  await inside.waitFor();
}

/** `WEIR_CONSOLE_PEOPLE` names a JSON file: {role: {login, password, totp}}. */
export function given() {
  const file = process.env.WEIR_CONSOLE_PEOPLE;
  return file ? JSON.parse(readFileSync(file, 'utf8')) : null;
}

/** Accepts an invitation in a fresh context; enrols an authenticator app. */
export async function accept(page, link, [, login, display], title = ['接受邀请', 'Accept your invitation']) {
  await page.goto(link);
  await page.locator('#login').waitFor();
  for (const [n, lang] of ['zh', 'en'].entries()) {
    await dress(page, lang, 'light');
    await page.getByRole('heading', { name: title[n], exact: true }).waitFor();
  }
  if (await page.locator('#code').isVisible()) throw new Error('a link that nobody confirmed asks for a code');
  if (/[0-9a-f]{16}|[A-Za-z0-9_-]{20}/.test(new URL(page.url()).hash)) throw new Error('the token of the link is still in the address');
  await page.locator('#login').fill(login);
  await page.locator('#display').fill(display);
  await page.locator('#password').fill(PASSWORD);
  await page.locator('#again').fill(PASSWORD);
  await page.locator('form button[type=submit]').click();
  return { login, password: PASSWORD, totp: await enrol(page) };
}

/** Every role needs a second factor: an authenticator app; its secret. */
async function enrol(page) {
  await page.locator('.steps-done li.on').nth(0).waitFor();
  await page.locator('button:has(.anticon-mobile)').click();
  await page.locator('.desk .stack .ant-btn-primary').click();
  const secret = (await page.locator('.qr + .stack .mono').textContent()).replace(/\s/g, '');
  await page.locator('#enrol-code').fill(await freshCode(secret));
  await page.locator('form button[type=submit]').click();
  await page.locator('#main').waitFor();
  await settled(page);
  return secret;
}

/** Plays set-up from its one-use link: the first administrator invites the others, each accepts. */
export async function setUp(newPage, link) {
  const people = {};
  const boss = await newPage();
  const [first, ...others] = PEOPLE;
  people[first[0]] = await accept(boss, link, first, ['创建首位管理员', 'Make the first administrator']);
  const base = new URL(link).origin;
  await dress(boss, 'en', 'light');
  // A newcomer of a demonstration is led from the overview to the first look-up: here to the invitation, below to the question.
  const { unit } = await boss.evaluate(async () => (await fetch('/api/v1/session')).json());
  if (unit.demo) await boss.getByRole('link', { name: 'Invite an operator' }).click();
  else await boss.goto(`${base}/#/users`);
  const links = [];
  for (const [role, , display] of others) {
    await boss.locator('button:has(.anticon-user-add)').click();
    const dialog = boss.locator('.ant-modal:visible');
    await dialog.locator('#display').fill(display);
    await dialog.getByText(role.replace('-', ' ').replace('admin', 'administrator'), { exact: false }).first().click();
    await dialog.locator('#reason').fill('Set-up of the unit');
    await dialog.locator('.ant-modal-footer .ant-btn-primary').click();
    const field = boss.locator('.ant-modal textarea[readonly]');
    links.push(await field.inputValue());
    // The first dialog's going moves the second one: what is pressed must stand still.
    await boss.getByRole('dialog', { name: 'Invite', exact: true }).waitFor({ state: 'hidden' });
    await boss.getByRole('dialog', { name: 'One-use link' }).getByRole('button', { name: 'Done' }).click();
    await field.waitFor({ state: 'detached' });
  }
  for (const [n, person] of others.entries()) {
    const page = await newPage();
    people[person[0]] = await accept(page, links[n], person);
    if (person[0] === 'operator') {
      await page.getByRole('navigation').getByRole('link', { name: 'Look-up' }).click();
      await page.getByRole('textbox', { name: 'Paste what you were given' }).waitFor();
    }
    await page.context().close();
  }
  await boss.context().close();
  return people;
}
