// Types of the API from its own page. `node scripts/types.mjs` writes src/api/schema.gen.ts anew; with `--check` it fails when that is old.
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const page = new URL('../../docs/openapi.json', import.meta.url);
const file = new URL('../src/api/schema.gen.ts', import.meta.url);
const made = `// Made from docs/openapi.json by \`npm run types\`; not changed by hand.\n${astToString(await openapiTS(page))}`;
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== made) {
    console.error('types: src/api/schema.gen.ts is not what docs/openapi.json says: run `npm run types` in console/');
    process.exit(1);
  }
  console.log('types: src/api/schema.gen.ts is fresh');
} else writeFileSync(file, made);
