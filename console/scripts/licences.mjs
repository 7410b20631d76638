// Licences of what is shipped: every package that is no development tool must have one of the permissive ones, and its text.
//   node scripts/licences.mjs             fails for a licence that is not on the list, or a package that is not there as the lock says
//   node scripts/licences.mjs --write     writes dist/licences.txt too: most of them ask that their notice goes along
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';

const ALLOWED = new Set(['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'Unlicense', 'CC0-1.0', 'BlueOak-1.0.0']);
const root = new URL('../', import.meta.url);
const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8'));

/** `(MIT OR GPL-2.0)` is allowed where one choice is; `MIT AND CC0-1.0` where all are. */
function allowed(licence) {
  const plain = licence.replace(/^\(|\)$/g, '');
  if (plain.includes(' OR ')) return plain.split(' OR ').some(allowed);
  return plain.split(' AND ').every((one) => ALLOWED.has(one.trim()));
}
/** Texts of a package: its licence and its notice (Apache-2.0, section 4 d). */
function texts(folder) {
  return readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(name)).sort().map((name) => readFileSync(new URL(name, folder), 'utf8').trim());
}

const wrong = [];
const out = [];
for (const [path, entry] of Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1))) {
  if (!path || entry.dev || entry.devOptional) continue;
  const name = path.replace(/^.*node_modules\//, '');
  const folder = new URL(`${path}/`, root);
  if (!existsSync(folder)) {
    if (!entry.optional) wrong.push(`${name}: is not installed: npm ci`);
    continue;
  }
  const own = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  const licence = typeof own.license === 'string' ? own.license : '';
  if (own.version !== entry.version) wrong.push(`${name}: ${own.version} is installed, the lock says ${entry.version}: npm ci`);
  if (entry.license !== undefined && licence !== entry.license) wrong.push(`${name}: its own file says "${licence}", the lock "${entry.license}"`);
  if (!allowed(licence)) wrong.push(`${name} ${own.version}: the licence "${licence || 'none'}" is not on the list in scripts/licences.mjs: take another package`);
  const author = typeof own.author === 'string' ? own.author : own.author?.name;
  const found = texts(folder);
  out.push([`${name} ${own.version} (${licence})`, ...(found.length > 0 ? found : [`Its package holds no text of the licence; it is under ${licence}.${author ? ` Author: ${author}` : ''}`])].join('\n\n'));
}
if (wrong.length > 0) {
  console.error(`licences: ${wrong.join('\nlicences: ')}`);
  process.exit(1);
}
if (process.argv.includes('--write')) {
  const head = 'The desk\'s console of Weir contains parts of these packages. Their licences ask that these notices go along with them.';
  writeFileSync(new URL('dist/licences.txt', root), `${[head, ...out].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}
console.log(`licences: ${out.length} packages are shipped, all under permissive licences`);
