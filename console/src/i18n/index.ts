// Words: one catalogue in two languages with the same keys. `{name}` is filled in; `{n|one|many}` picks by number.
import { createContext, useContext } from 'react';
import { type Unit, short, span } from '../lib/format';
import en from './en';
import zh from './zh';

export type Lang = 'zh' | 'en';
export type Key = keyof typeof zh;
export type Values = Record<string, string | number>;

const BOOKS: Record<Lang, Record<Key, string>> = { zh, en };

export function fill(text: string, values: Values = {}): string {
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (one === undefined) return String(value);
    return String(value) === '1' ? one : (many ?? '');
  });
}

export interface Words {
  lang: Lang;
  t: (key: Key, values?: Values) => string;
  /** Words for a code of the program; the code itself where the catalogue has none. */
  code: (prefix: string, code: string, otherwise?: string) => string;
  has: (prefix: string, code: string) => boolean;
  /** What the program says, with the words of the form where it names a field of the request: `"from"`. */
  named: (text: string) => string;
  /** The one of two texts that the program sends in both languages. */
  pick: (both: { zh: string; en: string }) => string;
  /** A length of time, in milliseconds. */
  span: (ms: number) => string;
  /** A large number in few digits: by thousands, or by ten thousands in Chinese. */
  short: (n: number) => string;
}

export function wordsOf(lang: Lang): Words {
  const book = BOOKS[lang];
  const has = (prefix: string, code: string): boolean => Object.hasOwn(book, `${prefix}.${code}`);
  const t: Words['t'] = (key, values) => fill(book[key], values);
  const named: Words['named'] = (text) => text.replace(/"([a-z]+)"/g, (whole, field: string) => (has('asked', field) ? t('asked.quoted', { name: book[`asked.${field}` as Key] }) : whole));
  const steps = t('num.steps').split(', ').map((step) => step.split(' ')).map(([size, name]) => [Number(size), name ?? ''] as const);
  return {
    lang,
    t,
    span: (ms) => span(ms, (unit: Unit) => t(`len.${unit}`)),
    short: (n) => short(n, steps),
    has,
    named,
    code: (prefix, code, otherwise) => (has(prefix, code) ? book[`${prefix}.${code}` as Key] : (otherwise ?? code)),
    pick: (both) => named(both[lang] || both.en || both.zh),
  };
}

/** The browser's language where it is one of ours, Chinese otherwise. */
export function firstLang(languages: readonly string[]): Lang {
  for (const language of languages) {
    if (/^zh\b/i.test(language)) return 'zh';
    if (/^en\b/i.test(language)) return 'en';
  }
  return 'zh';
}

export const WordsContext = createContext<Words>(wordsOf('zh'));
export const useWords = (): Words => useContext(WordsContext);
