// Writes FILE.br beside every text file of the build that is worth it. index.html is left out: the server writes a nonce into it.
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

const dist = new URL('../dist', import.meta.url).pathname;
// What Vite says about its own files is for scripts/size.mjs and not for the program.
renameSync(join(dist, '.vite/manifest.json'), join(dist, '../node_modules/.weir-manifest.json'));
rmSync(join(dist, '.vite'), { recursive: true });

let before = 0;
let after = 0;
for (const path of readdirSync(dist, { recursive: true }).map((name) => join(dist, name))) {
  if (!statSync(path).isFile() || !/\.(js|css|svg|txt)$/.test(path)) continue;
  const bytes = readFileSync(path);
  if (bytes.length < 1024) continue;
  const small = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  writeFileSync(`${path}.br`, small);
  before += bytes.length;
  after += small.length;
}
console.log(`compress: ${before} bytes of text became ${after}`);
