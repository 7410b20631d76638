// What this browser remembers: language and theme. Nothing else is kept here, and nothing about anybody.
import { useSyncExternalStore } from 'react';
import { speak } from '../api/client';
import { type Lang, firstLang } from '../i18n';

export type Theme = 'system' | 'light' | 'dark';
interface Prefs { lang: Lang; theme: Theme; dark: boolean; still: boolean }

const system = window.matchMedia('(prefers-color-scheme: dark)');
const calm = window.matchMedia('(prefers-reduced-motion: reduce)');

function read(name: string): string | null {
  try {
    return window.localStorage.getItem(name);
  } catch {
    return null;
  }
}
function keep(name: string, value: string): void {
  try {
    window.localStorage.setItem(name, value);
  } catch {
    // A browser that keeps nothing: the choice holds for this page.
  }
}

const isLang = (v: string | null): v is Lang => v === 'zh' || v === 'en';
const isTheme = (v: string | null): v is Theme => v === 'system' || v === 'light' || v === 'dark';

function make(lang: Lang, theme: Theme): Prefs {
  return { lang, theme, dark: theme === 'dark' || (theme === 'system' && system.matches), still: calm.matches };
}

const kept = { lang: read('weir-lang'), theme: read('weir-theme') };
let prefs = make(isLang(kept.lang) ? kept.lang : firstLang(navigator.languages), isTheme(kept.theme) ? kept.theme : 'system');
const readers = new Set<() => void>();

function put(next: Prefs): void {
  prefs = next;
  document.documentElement.dataset.theme = prefs.dark ? 'dark' : 'light';
  document.documentElement.lang = prefs.lang === 'zh' ? 'zh-CN' : 'en';
  speak(document.documentElement.lang);
  readers.forEach((call) => call());
}
put(prefs);
for (const query of [system, calm]) query.addEventListener('change', () => put(make(prefs.lang, prefs.theme)));
// Another tab of the same browser chose: all follow.
window.addEventListener('storage', () => {
  const next = { lang: read('weir-lang'), theme: read('weir-theme') };
  put(make(isLang(next.lang) ? next.lang : prefs.lang, isTheme(next.theme) ? next.theme : prefs.theme));
});

export function setLang(lang: Lang): void {
  keep('weir-lang', lang);
  put(make(lang, prefs.theme));
}
export function setTheme(theme: Theme): void {
  keep('weir-theme', theme);
  put(make(prefs.lang, theme));
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (call) => {
      readers.add(call);
      return () => readers.delete(call);
    },
    () => prefs,
  );
}
