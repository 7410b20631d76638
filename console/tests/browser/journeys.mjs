// What people do, from the first key to the last: each returns the faults seen on its way.
import { axe, dress, freshCode, missing, settled, told, visit } from './lib.mjs';

const main = (page) => page.locator('#main');

/** Pastes a line into the quick look-up by keyboard alone, chooses a purpose and gets one of the four answers. */
async function lookup({ open }) {
  const { page, faults } = await open('operator');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'dark');
  await visit(page, 'overview');
  await main(page).locator('h1').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('203.0.113.7:40122 2026-11-22 10:00:00 tcp');
  await page.keyboard.press('Enter');
  const end = page.locator('.one-form input').first();
  await end.waitFor();
  await page.waitForFunction(() => document.querySelector('.one-form input')?.value === '203.0.113.7:40122');
  await page.locator('.ant-radio-button-wrapper').nth(2).click();
  await page.locator('.lookup-in form button[type=submit]').click();
  await page.locator('.verdict-box').waitFor();
  await settled(page);
  const found = await axe(page);
  const words = await page.locator('.verdict-box .big').textContent();
  if (!['One holder', 'Nobody', 'Several', 'Cannot be said'].includes(words.trim())) found.push(`no answer: ${words}`);
  // Nothing of what was typed is in any address; a reload keeps it all the same.
  await page.reload();
  await page.waitForFunction(() => document.querySelector('.one-form input')?.value === '203.0.113.7:40122');
  found.push(...told(page, '203.0.113.7', '40122'));
  await page.getByRole('button', { name: 'Read', exact: true }).waitFor();
  return [...found, ...faults.splice(0)];
}

/** A passkey is enrolled with a virtual authenticator, and signs in alone. */
async function passkey({ fresh, people, base }) {
  const { page, faults } = await fresh();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true } });
  const { signIn } = await import('./people.mjs');
  await signIn(page, base, people.operator);
  await dress(page, 'en', 'light');
  await page.goto(`${base}/#/account`);
  await page.reload();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByLabel('Name of the passkey').fill('virtual');
  await page.getByRole('button', { name: 'Enrol a passkey' }).click();
  await main(page).getByText('virtual', { exact: true }).waitFor();
  // Enrolling renewed the session: what the next change brings along is the new one's.
  await page.locator('.bar .right button').last().click();
  await page.getByText('Sign out').click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await main(page).waitFor();
  await page.context().close();
  return faults;
}

/** Wrong passwords are refused in words; after some of them the wait is shown. */
async function refused({ fresh, base }) {
  const { page, faults } = await fresh();
  await page.goto(base);
  await dress(page, 'en', 'light');
  for (let n = 0; n < 2; n += 1) {
    await page.locator('input[autocomplete=username]').fill('nobody-of-that-name');
    await page.locator('input[autocomplete=current-password]').fill(`wrong ${n}`);
    await page.locator('form button[type=submit]').click();
    await page.getByRole('alert').filter({ hasText: /Not signed in|Too many tries/ }).waitFor();
  }
  const found = await axe(page);
  await page.context().close();
  return [...found, ...faults];
}

/** A setting that needs two persons: difference, reason, waiting; another person confirms exactly that; the asker applies it. */
async function setting({ open }) {
  const asker = await open('system-admin');
  const { page } = asker;
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'light');
  await visit(page, 'settings');
  await page.getByLabel('Find a setting').fill('store.wal_bytes');
  await page.getByRole('button', { name: 'Change store.wal_bytes' }).click();
  await page.getByRole('textbox', { name: 'store.wal_bytes' }).fill('9663676416');
  await page.getByRole('button', { name: 'Take', exact: true }).click();
  await page.locator('#reason').fill('More room on the disk');
  const found = await axe(page);
  await page.getByRole('button', { name: /Ask a second person|Make the change/ }).click();
  await page.getByText(/it waits for a second person|The change is kept/).waitFor();
  const other = await open('security-admin');
  await other.page.setViewportSize({ width: 1280, height: 720 });
  await dress(other.page, 'en', 'light');
  await visit(other.page, 'approvals?show=forMe');
  await other.page.getByRole('button', { name: 'Review' }).first().click();
  await other.page.getByText('9663676416').waitFor();
  found.push(...await axe(other.page));
  await other.page.getByRole('button', { name: 'Confirm', exact: true }).click();
  await other.page.locator('.steps li.confirmed').waitFor();
  await visit(page, 'approvals?show=mine');
  await page.getByRole('button', { name: 'Open', exact: true }).first().click();
  await page.getByRole('button', { name: 'Apply now' }).click();
  await page.getByText('Done.', { exact: true }).waitFor();
  return [...found, ...asker.faults.splice(0), ...other.faults.splice(0)];
}

/** Records are read, and exported into a file with a reason. */
async function exported({ open }) {
  const { page, faults } = await open('operator');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'light');
  // A file chooser cannot be answered here: without it the browser's own download is used.
  await page.evaluate(() => { delete window.showSaveFilePicker; });
  await visit(page, 'records');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await settled(page);
  const found = await axe(page);
  await page.getByRole('button', { name: /Export$/ }).click();
  await page.locator('#reason').fill('For the weekly check');
  const download = page.waitForEvent('download');
  await page.locator('.ant-modal-footer .ant-btn-primary').click();
  await (await download).path();
  await page.getByText('Done.', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  return [...found, ...faults.splice(0)];
}

/** Words are searched for in log lines: every row has them, no address has, and a reload keeps them. */
async function search({ open }) {
  const { page, faults } = await open('operator');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'light');
  await visit(page, 'records');
  await page.getByRole('combobox', { name: 'Kind' }).click();
  await page.locator('.ant-select-item-option', { hasText: 'Maintenance log' }).click();
  await page.getByLabel('Words in it').fill('publickey ed25519');
  const [request] = await Promise.all([page.waitForRequest(/records\/search$/), page.getByRole('button', { name: 'Show', exact: true }).click()]);
  const found = request.postDataJSON().match === 'publickey ed25519' ? [] : ['the words are not in the request'];
  await settled(page);
  const rows = await page.locator('.ant-table-tbody tr.ant-table-row').allTextContents();
  if (rows.length === 0) await page.getByText('No records in this stretch').waitFor();
  found.push(...rows.filter((row) => !/publickey/i.test(row) || !/ed25519/i.test(row)).map((row) => `a row without the words: ${row}`), ...await axe(page));
  await page.reload();
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some((field) => field.value === 'publickey ed25519'));
  return [...found, ...told(page, 'publickey', 'ed25519'), ...faults.splice(0)];
}

/** Beside its row the line is offered to who may open it. Offered to somebody who may not, the program refuses, which is said where it was asked. */
async function offered(page) {
  await page.route('**/api/v1/session', async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    await route.fulfill({ response, body: body.replace('"records.read"', '"records.read","text.open"') });
  });
  await page.reload();
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await settled(page);
  await page.getByRole('button', { name: /^Open the line of/ }).first().click();
  const dialog = page.getByRole('dialog', { name: 'The line as it came' });
  await dialog.locator('#reason').fill('Case 7: who got in at ten');
  await dialog.getByRole('button', { name: 'Open the line' }).click();
  await dialog.getByRole('alert').filter({ hasText: 'Not allowed' }).waitFor();
  await settled(page);
  const found = await axe(page);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await page.unroute('**/api/v1/session');
  await page.reload();
  await page.getByRole('tab', { name: 'Browse' }).waitFor();
  return found;
}

/** Id and time of a log line go from who reads records to who may open it; without a purpose it is refused, with one it is shown, and it is in the ledger. */
async function line({ open }) {
  const reader = await open('operator');
  await reader.page.setViewportSize({ width: 1280, height: 720 });
  await dress(reader.page, 'en', 'light');
  await visit(reader.page, 'records');
  await reader.page.getByRole('combobox', { name: 'Kind' }).click();
  await reader.page.locator('.ant-select-item-option', { hasText: 'Maintenance log' }).click();
  await reader.page.getByLabel('Words in it').fill('');
  const [response] = await Promise.all([reader.page.waitForResponse(/records\/search$/), reader.page.getByRole('button', { name: 'Show', exact: true }).click()]);
  const { rows } = await response.json();
  await settled(reader.page);
  const found = await axe(reader.page);
  const row = rows.find((r) => /^[0-9a-f]{32}$/.test(r.text));
  if (row) {
    await reader.page.getByRole('button', { name: /^Id and time/ }).first().waitFor();
    found.push(...await offered(reader.page));
  }
  // Who may open lines reads no records: the page is the one form.
  const { page, faults } = await open('audit-admin');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'dark');
  await visit(page, 'records');
  const which = main(page).locator('#which');
  await which.fill('no line at all');
  await main(page).locator('#reason').fill('who');
  await page.getByRole('button', { name: 'Open the line' }).click();
  await page.getByText(/^Write the id/).waitFor();
  await page.getByText(/^Say why/).waitFor();
  found.push(...await axe(page));
  await which.fill(`${'0'.repeat(31)}1 2026-11-22T10:00:00.000+08:00`);
  await main(page).locator('#reason').fill('Case 7: who got in at ten');
  await page.getByRole('button', { name: 'Open the line' }).click();
  await main(page).getByRole('alert').filter({ hasText: 'Not there' }).waitFor();
  found.push(...await axe(page));
  if (row) {
    await which.fill(`${row.text} ${row.time}`);
    await page.getByRole('button', { name: 'Open the line' }).click();
    await main(page).locator('pre').waitFor();
    await page.getByText('is in the ledger').waitFor();
    found.push(...await axe(page));
    if (page.url().includes(row.text)) found.push('the address of the page tells which line was opened');
    // Nothing of it is kept: a reload shows the empty form.
    await page.reload();
    await which.waitFor();
    if (await which.inputValue() !== '' || await main(page).locator('pre').count() > 0) found.push('a reload kept the line');
  } else found.push(...missing('a log line opened: this program has no maintenance record in the last hour'));
  await visit(page, 'ledger');
  await page.getByText('text opened').first().waitFor();
  return [...found, ...reader.faults.splice(0), ...faults.splice(0)];
}

/** A statement answers with a table; one that is no SELECT is refused with what to do. */
async function sql({ open }) {
  const { page, faults } = await open('operator');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'dark');
  await visit(page, 'records');
  await page.getByRole('tab', { name: 'SQL' }).click();
  const statement = page.getByRole('textbox', { name: 'One SELECT' });
  await statement.press('Control+Enter');
  await page.getByRole('region', { name: 'Result' }).waitFor();
  const found = await axe(page);
  await statement.fill('DELETE FROM nat_mapping');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('alert').waitFor();
  found.push(...await axe(page), ...told(page, 'DELETE', 'nat_mapping GROUP'));
  return [...found, ...faults.splice(0)];
}

/** An export shows what has come so far, and can be stopped: then it says that the file is not whole. */
async function stopped({ open }) {
  const { page, faults } = await open('operator');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'dark');
  await page.evaluate(() => { delete window.showSaveFilePicker; });
  await visit(page, 'records');
  await page.getByRole('tab', { name: 'Browse' }).click();
  await page.getByRole('button', { name: /Export$/ }).click();
  await page.locator('#reason').fill('To see it stop');
  await page.getByText('JSON Lines').click();
  await page.locator('.ant-modal-footer .ant-btn-primary').click();
  const stop = page.getByRole('button', { name: 'Stop', exact: true });
  const status = page.locator('.ant-modal [role=status]');
  await status.waitFor();
  // A short one may be over before anybody could stop it.
  await stop.click({ timeout: 3000 }).catch(() => undefined);
  await status.filter({ hasText: /Stopped: the file is not whole|Done\./ }).waitFor();
  const found = await axe(page);
  await page.locator('.ant-modal-footer .ant-btn-primary').click();
  return [...found, ...faults.splice(0)];
}

/** An entry of the ledger is opened with a reason. */
async function ledger({ open }) {
  const { page, faults } = await open('audit-admin');
  await page.setViewportSize({ width: 1280, height: 720 });
  await dress(page, 'en', 'light');
  await visit(page, 'ledger');
  await page.getByRole('button', { name: 'Open', exact: true }).first().click();
  await page.locator('#reason').fill('Monthly review of questions');
  await page.locator('.ant-modal-footer .ant-btn-primary').click();
  await page.getByRole('dialog').filter({ hasText: 'What was asked' }).locator('pre').waitFor();
  const found = await axe(page);
  await page.keyboard.press('Escape');
  return [...found, ...faults.splice(0)];
}

/** A session that ended elsewhere shows the sign-in again, and what was open before comes back after it. */
async function ended({ fresh, people, base }) {
  const { page, faults } = await fresh();
  const { signIn } = await import('./people.mjs');
  await signIn(page, base, people.reviewer);
  await page.goto(`${base}/#/sources`);
  await main(page).locator('h1').waitFor();
  await page.context().clearCookies();
  await page.goto(`${base}/#/records`);
  await page.locator('input[autocomplete=username]').fill(people.reviewer.login);
  await page.locator('input[autocomplete=current-password]').fill(people.reviewer.password);
  await page.locator('form button[type=submit]').click();
  const code = page.locator('#code');
  await code.or(main(page)).first().waitFor();
  if (await code.isVisible()) await code.fill(await freshCode(people.reviewer.totp));
  await main(page).waitFor();
  const at = new URL(page.url()).hash;
  await page.context().close();
  return [...(at === '#/records' ? [] : [`came back to ${at}`]), ...faults];
}

export const JOURNEYS = [
  ['a line is pasted and answered, by keyboard', lookup],
  ['a passkey is enrolled and signs in alone', passkey],
  ['wrong passwords are refused in words', refused],
  ['a setting needs a second person', setting],
  ['records are read and exported', exported],
  ['records are searched by word, and no address tells the words', search],
  ['a log line is opened for a purpose', line],
  ['a statement is run, and a wrong one refused', sql],
  ['an export is stopped on its way', stopped],
  ['an entry of the ledger is opened', ledger],
  ['a session that ended asks to sign in again', ended],
];
