// WCAG AA: every colour of text on every ground it stands on, in both themes; and antd's tokens are the same colours.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('../../src/theme/colours.css', import.meta.url), 'utf8');
const tokens = readFileSync(new URL('../../src/theme/antd.ts', import.meta.url), 'utf8');
const blocks = css.split('}').slice(0, 2).map((block) => new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((m) => [m[1] ?? '', m[2] ?? ''])));

function light(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: string, b: string): number => {
  const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
  return ((x ?? 0) + 0.05) / ((y ?? 0) + 0.05);
};

const PAIRS: [string, string][] = [
  ...['ink', 'ink-2', 'ink-3', 'accent', 'ok', 'warn', 'err', 'info'].flatMap((ink): [string, string][] => [[ink, 'surface'], [ink, 'raised'], [ink, 'bg']]),
  ['ok', 'ok-soft'], ['warn', 'warn-soft'], ['err', 'err-soft'], ['info', 'info-soft'], ['accent', 'accent-soft'], ['ink', 'band'],
  ['ink-2', 'ok-soft'], ['ink-2', 'warn-soft'], ['on-accent', 'accent'], ['nav-ink', 'nav'], ['nav-ink-2', 'nav'], ['surface', 'err'],
];

for (const [n, name] of ['light', 'dark'].entries()) {
  describe(name, () => {
    const colours = blocks[n] ?? new Map<string, string>();
    it('is found', () => expect(colours.size).toBeGreaterThan(20));
    for (const [ink, ground] of PAIRS) {
      it(`${ink} on ${ground}`, () => expect(contrast(colours.get(ink) ?? '#000000', colours.get(ground) ?? '#000000')).toBeGreaterThanOrEqual(4.5));
    }
    it('is what antd has', () => {
      for (const key of ['bg', 'surface', 'raised', 'line', 'ink', 'accent', 'ok', 'warn', 'err', 'info']) expect(tokens).toContain(colours.get(key) ?? 'none');
    });
  });
}
