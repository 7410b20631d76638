// The first page (sign-in and overview, without charts) must stay below a budget, in bytes after brotli. Fails above it.
import { existsSync, readFileSync } from 'node:fs';

const BUDGET = 600_000;
const dist = new URL('../dist/', import.meta.url);
const size = (file) => readFileSync(new URL(existsSync(new URL(`${file}.br`, dist)) ? `${file}.br` : file, dist)).length;

const manifest = JSON.parse(readFileSync(new URL('../node_modules/.weir-manifest.json', dist), 'utf8'));
const files = new Set();
function take(key) {
  const entry = manifest[key];
  if (!entry || files.has(entry.file)) return;
  files.add(entry.file);
  for (const css of entry.css ?? []) files.add(css);
  for (const other of entry.imports ?? []) take(other);
}
take('index.html');
for (const key of Object.keys(manifest)) if (/Shell|src\/early/.test(key)) take(key);
for (const entry of Object.values(manifest)) if (entry.file.endsWith('.css')) files.add(entry.file);

let total = 0;
for (const file of [...files].sort()) {
  const bytes = size(file);
  total += bytes;
  console.log(`size: ${String(bytes).padStart(8)}  ${file}`);
}
console.log(`size: ${String(total).padStart(8)}  in all; the budget is ${BUDGET}`);
if ([...files].some((file) => /charts-/.test(file))) {
  console.error('size: the charts are in the first page: load them lazily (src/ui/Chart.tsx)');
  process.exit(1);
}
if (total > BUDGET) {
  console.error('size: above the budget: find what came in (vite build --mode development, or look at the imports above)');
  process.exit(1);
}
