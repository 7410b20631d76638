// The pictures of the READMEs, from a running demonstration: what is in them was answered by the program.
//   WEIR_CONSOLE_URL=… WEIR_CONSOLE_SETUP=LINK node scripts/pictures.mjs      (or WEIR_CONSOLE_PEOPLE=FILE, as tests/browser/run.mjs)
import { mkdirSync, writeFileSync } from 'node:fs';
import { contextOf, dress, launch, settled } from '../tests/browser/lib.mjs';
import { given, setUp, signIn } from '../tests/browser/people.mjs';

const base = process.env.WEIR_CONSOLE_URL?.replace(/\/$/, '');
const link = process.env.WEIR_CONSOLE_SETUP;
if (!base || (!link && !process.env.WEIR_CONSOLE_PEOPLE)) {
  console.error('pictures: give WEIR_CONSOLE_URL of a running demonstration, and WEIR_CONSOLE_SETUP (its one-use link) or WEIR_CONSOLE_PEOPLE (a file)');
  process.exit(2);
}
const folder = new URL('../../docs/pictures/', import.meta.url).pathname;
mkdirSync(folder, { recursive: true });
const browser = await launch();
/** The same picture as WebP, which is a third of it; Chromium makes it on a page of its own, for the console's policy allows no foreign pictures. */
async function small(png) {
  const blank = await browser.newPage();
  const data = await blank.evaluate(async (bytes) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${bytes}`)).blob());
    const canvas = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height });
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.toDataURL('image/webp', 0.9).split(',')[1];
  }, png.toString('base64'));
  await blank.close();
  return Buffer.from(data, 'base64');
}
try {
  const newPage = async () => (await contextOf(browser, base)).context.newPage();
  const people = given() ?? await setUp(newPage, link);
  const page = await newPage();
  await signIn(page, base, people.operator);
  for (const [lang, theme] of [['en', 'light'], ['zh', 'dark']]) {
    await dress(page, lang, theme);
    await settled(page);
    // A mapping that has ended: the moment in its middle has one certain holder.
    const question = await page.evaluate(async () => {
      const { csrf } = await (await fetch('/api/v1/session')).json();
      const body = JSON.stringify({ kind: 'nat_mapping', limit: 1000 });
      const { rows } = await (await fetch('/api/v1/records/search', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Weir-CSRF': csrf }, body })).json();
      const row = rows.find((r) => r.duration > 8000);
      if (!row) return null;
      const at = new Date(Date.parse(row.start) + row.duration / 2).toISOString();
      return `${row.public_address}:${row.public_port} ${at} ${{ 6: 'tcp', 17: 'udp' }[row.protocol] ?? ''}`;
    });
    if (!question) throw new Error('no mapping has begun and ended yet: let the demonstration run for a minute');
    // Into the quick look-up, as a person pastes it.
    await page.locator('.bar .find input').fill(question);
    await page.locator('.bar .find input').press('Enter');
    await page.waitForFunction((end) => document.querySelector('.one-form input')?.value === end, question.split(' ')[0]);
    await page.locator('.ant-radio-button-wrapper').nth(2).click();
    await page.locator('.lookup-in form button[type=submit]').click();
    await page.locator('.verdict-box').waitFor();
    await settled(page);
    writeFileSync(`${folder}lookup-${lang}.webp`, await small(await page.screenshot()));
  }
  console.log(`pictures: written to ${folder}`);
} finally {
  await browser.close();
}
