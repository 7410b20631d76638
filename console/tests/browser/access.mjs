// What people do about access: links in two halves, signing in again, sign-in elsewhere, break-glass. Each returns the faults seen on its way.
import { axe, dress, freshCode, missing, settled, visit } from './lib.mjs';
import { PASSWORD, signIn } from './people.mjs';

const main = (page) => page.locator('#main');
const WIDE = { width: 1280, height: 720 };

/** A role's own page, in English. */
async function at(open, role, path, theme = 'light') {
  const opened = await open(role);
  await opened.page.setViewportSize(WIDE);
  await dress(opened.page, 'en', theme);
  await visit(opened.page, path);
  await settled(opened.page);
  return opened;
}
/** Reads the list of requests anew and opens the newest that waits. */
async function review(page) {
  await visit(page, 'approvals?show=forMe');
  await page.reload();
  await page.getByRole('button', { name: 'Review' }).first().click();
  await page.getByRole('button', { name: 'Confirm', exact: true }).click();
}

/** In a demonstration this page is the app: one click in, and one click in again. That it is one is told to the page alone. */
async function demo(page, login, found) {
  const { unit } = await page.evaluate(async () => (await fetch('/api/v1/session')).json());
  if (!unit.demo && await page.getByRole('button', { name: 'Go on into the demonstration' }).count() > 0) found.push('outside of a demonstration the page offers to be the app');
  await page.route(/\/api\/v1\/session(\/password)?$/, async (route) => {
    const response = await route.fetch();
    const body = await response.json().catch(() => null);
    return route.fulfill({ response, ...(body?.unit ? { body: JSON.stringify({ ...body, unit: { ...body.unit, demo: true } }) } : {}) });
  });
  await page.reload();
  await page.getByRole('button', { name: 'Go on into the demonstration' }).waitFor();
  found.push(...await axe(page));
  await page.getByRole('button', { name: 'Go on into the demonstration' }).click();
  await main(page).waitFor();
  await page.locator('.bar .right button').last().click();
  await page.getByText('Sign out').click();
  await page.locator('input[autocomplete=username]').fill(login);
  await page.locator('input[autocomplete=current-password]').fill(PASSWORD);
  await page.locator('form button[type=submit]').click();
  await page.getByRole('button', { name: 'Take the code from this page (demonstration)' }).click();
  await main(page).waitFor();
}

/** An invitation in two halves: who asked has the link, who confirmed the code; the link alone is worth nothing. */
async function halves({ open, fresh, base }) {
  const asker = await at(open, 'system-admin', 'users');
  const { page } = asker;
  await page.locator('button:has(.anticon-user-add)').click();
  const dialog = page.locator('.ant-modal:visible');
  await dialog.locator('#display').fill('钱多');
  await dialog.getByText('Reviewer', { exact: true }).click();
  await dialog.locator('#reason').fill('One more reviewer');
  await dialog.locator('.ant-modal-footer .ant-btn-primary').click();
  await page.getByText('it waits for a second person').waitFor();
  await page.getByText('Another person (security-admin or approver) confirms it').waitFor();
  const other = await at(open, 'security-admin', 'approvals', 'dark');
  await review(other.page);
  const shown = other.page.getByRole('dialog', { name: 'Code for the link' });
  const code = (await shown.locator('.once-code').textContent()).trim();
  const found = await axe(other.page);
  if (!/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/.test(code)) found.push(`no code: ${code}`);
  if (!/钱多/.test(await shown.textContent())) found.push('it is not said whom the code is for');
  await shown.getByRole('button', { name: 'Done' }).click();
  await visit(page, 'approvals?show=mine');
  await page.reload();
  await page.getByRole('button', { name: 'Open', exact: true }).first().click();
  await page.getByRole('button', { name: 'Get the one-use link' }).click();
  const link = await page.locator('.ant-modal textarea[readonly]').inputValue();
  await page.getByRole('dialog', { name: 'One-use link' }).getByRole('button', { name: 'Done' }).click();

  const guest = await fresh();
  await guest.page.goto(base);
  await dress(guest.page, 'en', 'dark');
  await guest.page.goto(link);
  const field = guest.page.locator('#code');
  await field.waitFor();
  if (await guest.page.locator('#display').inputValue() !== '钱多') found.push('the welcome page does not know whom it greets');
  const login = `invited${Date.now() % 100_000}`;
  await guest.page.locator('#login').fill(login);
  await guest.page.locator('#password').fill(PASSWORD);
  await guest.page.locator('#again').fill(PASSWORD);
  const submit = guest.page.locator('form button[type=submit]');
  await submit.click();
  await guest.page.getByText('Enter the code, or ask for it.').waitFor();
  found.push(...await axe(guest.page));
  await field.fill(code === '0000-0000' ? '1111-1111' : '0000-0000');
  await submit.click();
  await guest.page.getByRole('alert').filter({ hasText: 'Not the right code' }).waitFor();
  found.push(...await axe(guest.page));
  // However it is typed: small letters and no hyphen.
  await field.fill(code.toLowerCase().replace('-', ' '));
  await submit.click();
  // No role goes on without a second factor: there is nothing to put off.
  await guest.page.locator('button:has(.anticon-mobile)').waitFor();
  if (await guest.page.getByRole('button', { name: 'Later' }).count() > 0) found.push('a second factor can be put off');
  await demo(guest.page, login, found);
  // The link was used: who opens it once more is told so.
  const late = await fresh();
  await late.page.goto(base);
  await dress(late.page, 'en', 'light');
  await late.page.goto(link);
  await late.page.getByRole('alert').getByRole('heading', { name: 'This link was used', exact: true }).waitFor();
  found.push(...await axe(late.page), ...late.faults);
  await late.page.context().close();
  await guest.page.context().close();
  return [...found, ...asker.faults.splice(0), ...other.faults.splice(0), ...guest.faults];
}

/** The first answer says that the sign-in is too old: the dialogue asks, a wrong password is refused, then what was asked goes on. */
async function again({ fresh, people, base }) {
  const { page, faults } = await fresh();
  const person = people['audit-admin'];
  await signIn(page, base, person);
  await dress(page, 'en', 'light');
  await visit(page, 'account');
  let asked = 0;
  await page.route(/\/api\/v1\/me\/tokens$/, async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    asked += 1;
    if (asked > 1) return route.fallback();
    const body = { type: 'urn:weir:problem:sign-in-again', title: 'Sign in again', status: 403, detail: 'The last sign-in is more than ten minutes old.', todo: 'Sign in again, then repeat it.' };
    return route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify(body) });
  });
  await page.getByRole('button', { name: 'New token' }).click();
  const form = page.getByRole('dialog', { name: 'New token' });
  await form.locator('#name').fill('nightly');
  await form.getByRole('checkbox').first().check();
  await form.locator('.ant-modal-footer .ant-btn-primary').click();
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await dialog.locator('#password').fill('not the password at all');
  await dialog.locator('#code').fill('000000');
  const found = await axe(page);
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.locator('#password').fill(person.password);
  await dialog.locator('#code').fill(await freshCode(person.totp));
  await dialog.getByRole('button', { name: 'Go on' }).click();
  // What was asked goes on by itself.
  await page.getByRole('dialog', { name: 'The token' }).locator('textarea').waitFor();
  if (asked !== 2) found.push(`asked ${asked} times`);
  // Given up, it is said what to do.
  await page.getByRole('dialog', { name: 'The token' }).getByRole('button', { name: 'Done' }).click();
  asked = 0;
  await page.getByRole('button', { name: 'New token' }).click();
  await form.locator('#name').fill('weekly');
  await form.getByRole('checkbox').first().check();
  await form.locator('.ant-modal-footer .ant-btn-primary').click();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await form.getByRole('alert').filter({ hasText: 'Sign in again first' }).waitFor();
  await page.context().close();
  return [...found, ...faults];
}

/** A provider's subject is linked to an account, refuses, signs in, and is unlinked. The provider here is the development server's. */
async function elsewhere({ fresh, people, base }) {
  const { page, faults } = await fresh();
  await signIn(page, base, people.inspector);
  const providers = await page.evaluate(async () => (await (await fetch('/api/v1/session')).json()).providers);
  if (providers.length === 0) {
    await page.context().close();
    return [...missing('a provider linked, signing in and unlinked: this program has none (desk.providers)'), ...faults];
  }
  await dress(page, 'en', 'light');
  await visit(page, 'account');
  const link = page.getByRole('link', { name: /^Link .*Campus SSO/ });
  await link.click();
  await page.getByRole('link', { name: 'Refuse' }).click();
  await page.getByRole('alert').filter({ hasText: 'Not signed in' }).waitFor();
  const found = await axe(page);
  await link.click();
  await page.getByRole('link', { name: 'Go on as zhang' }).click();
  await page.getByText(/^Linked: .*Campus SSO/).waitFor();
  const out = async () => {
    await page.locator('.bar .right button').last().click();
    await page.getByText('Sign out').click();
    await page.getByRole('link', { name: /Campus SSO/ }).waitFor();
  };
  const enter = async (name) => {
    await page.getByRole('link', { name: /Campus SSO/ }).click();
    await page.getByRole('link', { name }).click();
  };
  await out();
  await enter('Refuse');
  await page.getByRole('alert').filter({ hasText: 'Not signed in' }).waitFor();
  found.push(...await axe(page));
  await enter('Go on as zhang');
  const code = page.locator('#code');
  await code.or(main(page)).first().waitFor();
  if (await code.isVisible()) await code.fill(await freshCode(people.inspector.totp));
  await main(page).waitFor();
  await visit(page, 'account');
  await page.getByRole('button', { name: 'Remove campus' }).click();
  await page.locator('.ant-popconfirm .ant-btn-dangerous').click();
  await link.waitFor();
  await page.context().close();
  return [...found, ...faults];
}

/** Break-glass: asked for with a reason, confirmed by two others, seen by everybody, ended by who holds it. */
async function glass({ open }) {
  const asker = await at(open, 'system-admin', 'approvals?show=mine');
  const { page } = asker;
  await page.getByRole('button', { name: 'Break-glass' }).click();
  const dialog = page.getByRole('dialog', { name: 'Break-glass' });
  await dialog.getByRole('combobox', { name: 'Role' }).click();
  await page.locator('.ant-select-item-option', { hasText: 'Operator' }).click();
  await dialog.getByLabel('Minutes').fill('5');
  await dialog.locator('#reason').fill('The operator cannot be reached');
  const found = await axe(page);
  await dialog.locator('.ant-modal-footer .ant-btn-primary').click();
  await page.getByText('two others must confirm').first().waitFor();
  const others = [];
  for (const role of ['security-admin', 'approver']) {
    const other = await at(open, role, 'approvals?show=forMe');
    await review(other.page);
    await other.page.locator('.steps li.confirmed').last().waitFor();
    others.push(other);
  }
  await page.reload();
  const own = page.locator('.banner.err', { hasText: 'you hold the role Operator' });
  await own.waitFor();
  await page.getByRole('link', { name: 'Look-up' }).waitFor();
  found.push(...await axe(page));
  const [seer] = others;
  await visit(seer.page, 'overview');
  await seer.page.reload();
  await seer.page.locator('.banner.err', { hasText: 'Break-glass is open' }).waitFor();
  await own.getByRole('button', { name: 'End it now' }).click();
  await own.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Look-up' }).waitFor({ state: 'detached' });
  return [...found, ...asker.faults.splice(0), ...others.flatMap((other) => other.faults.splice(0))];
}

export const ACCESS = [
  ['an invitation needs its code', halves],
  ['a sign-in that is too old is renewed, and what was asked goes on', again],
  ['a provider is linked, signs in and is unlinked', elsewhere],
  ['break-glass is asked for, confirmed by two, seen and ended', glass],
];
