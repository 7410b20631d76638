// The catalogue: the same keys and the same gaps to fill in both languages, nothing dead, and no visible word outside it.
import { readFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { fill, firstLang, wordsOf } from '../../src/i18n';
import en from '../../src/i18n/en';
import zh from '../../src/i18n/zh';

const src = new URL('../../src/', import.meta.url);
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name) && (!name.startsWith('i18n/') || name === 'i18n/index.ts'));
const texts = new Map(files.map((name) => [name, readFileSync(new URL(name, src), 'utf8')]));
const gaps = (text: string): string[] => [...text.matchAll(/\{(\w+)/g)].map((m) => m[1] ?? '').sort().filter((g, n, all) => g !== all[n - 1]);

describe('the catalogue', () => {
  it('has the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  it('fills the same gaps in both languages', () => {
    const different = Object.keys(zh).filter((key) => gaps(zh[key as keyof typeof zh]).join() !== gaps(en[key as keyof typeof zh]).join());
    expect(different).toEqual([]);
  });

  it('has no empty text, and Chinese where Chinese is meant', () => {
    expect(Object.entries({ ...zh }).filter(([, text]) => text.trim() === '')).toEqual([]);
    expect(Object.entries({ ...en }).filter(([key, text]) => /[\u4e00-\u9fff]/.test(text) && !['brand', 'lang.other'].includes(key))).toEqual([]);
  });

  it('has no key that no page uses', () => {
    const all = [...texts.values()].join('\n');
    const prefixes = [...all.matchAll(/(?:code|has)\('([a-zA-Z.]+)'|t\(`([a-zA-Z.]+)\.\$\{/g)].map((m) => `${m[1] ?? m[2]}.`);
    const dead = Object.keys(zh).filter((key) => !all.includes(`'${key}'`) && !prefixes.some((p) => key.startsWith(p)));
    expect(dead).toEqual([]);
  });
});

/** Attributes that people read or hear. */
const READ = new Set(['title', 'placeholder', 'label', 'aria-label', 'alt', 'okText', 'cancelText', 'extra', 'message', 'description', 'lead', 'purpose']);
// Names that are the same in every language, and examples of addresses and times.
const SAME = /^(SHA-256|CSV|JSON Lines|SQL|#|[\d:./\-+ ]+|[→·@±–%()[\]\s]*|203\.0\.113\.7:40123|198\.51\.100\.9:443|XXXX-XXXX)$/;

describe('visible words', () => {
  it('stand in the catalogue only', () => {
    const found: string[] = [];
    for (const [name, text] of texts) {
      const tree = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, name.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
      const tell = (node: ts.Node, words: string): void => {
        if (/\p{L}/u.test(words) && !SAME.test(words.trim())) found.push(`${name}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${words.trim()}`);
      };
      const walk = (node: ts.Node): void => {
        if (ts.isJsxText(node)) tell(node, node.text);
        if (ts.isJsxAttribute(node) && READ.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer)) tell(node, node.initializer.text);
        if (ts.isStringLiteralLike(node) && /[\u4e00-\u9fff]/.test(node.text)) tell(node, node.text);
        ts.forEachChild(node, walk);
      };
      walk(tree);
    }
    // A rate's "/s" is a unit's sign.
    expect(found.filter((f) => !/ \/s$/.test(f))).toEqual([]);
  });
});

describe('filling in', () => {
  it('picks by number and leaves what it does not know', () => {
    expect(fill('{n} {n|row|rows}', { n: 1 })).toBe('1 row');
    expect(fill('{n} {n|row|rows}', { n: 2 })).toBe('2 rows');
    expect(fill('{other}', { n: 2 })).toBe('{other}');
  });
  it('takes the browser’s language, and Chinese for all others', () => {
    expect(firstLang(['fr', 'en-GB'])).toBe('en');
    expect(firstLang(['fr'])).toBe('zh');
    expect(firstLang(['zh-TW', 'en'])).toBe('zh');
  });
  it('puts the words of the form where the program names a field', () => {
    expect(wordsOf('en').named('"from" is after "to"')).toBe('“From” is after “To”');
    expect(wordsOf('zh').pick({ zh: '"from" 晚于 "to"', en: '' })).toBe('“起始时间” 晚于 “结束时间”');
    expect(wordsOf('en').named('has no "=", "own" stays')).toBe('has no "=", "own" stays');
  });
  it('shows a code of the program that it does not know', () => {
    expect(wordsOf('zh').code('act', 'something-new')).toBe('something-new');
    expect(wordsOf('zh').code('notice', 'something-new', 'in its words')).toBe('in its words');
  });
});
