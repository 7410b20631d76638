// Routes live in the fragment, so that no server sees where one is, nor a one-use token in a link. What people paste or search for is in
// no address at all: it is handed over in the history's state, which a reload keeps and no log or list of pages visited shows.
import { useSyncExternalStore } from 'react';
import { isPage } from './pages';

/** What one page hands to another: whose it is, so that nobody else sees it who signs in later in the same tab. */
export interface Handed { by: string; paste?: string; filter?: { kind: string; from: string; to: string; source: number | null; words: string; unrecognised?: boolean } }
export interface Route { page: string; rest: string[]; params: URLSearchParams; handed: Handed | null }

export function routeOf(hash: string, state: unknown = null): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/').map(decode);
  return { page, rest, params: new URLSearchParams(query), handed: handedOf(state) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function handedOf(state: unknown): Handed | null {
  const handed = state as Partial<Handed> | null;
  return typeof handed === 'object' && handed !== null && typeof handed.by === 'string' ? (handed as Handed) : null;
}

/** The path that was asked for, where there is no page of that name. A page's name that was typed as a path becomes its address. */
export const lost = arrive();
function arrive(): string | null {
  const { pathname, search, hash: after } = window.location;
  if (!isPage(pathname)) return pathname;
  if (!/^\/(index\.html)?$/.test(pathname)) window.history.replaceState(null, '', `/${after || `#${pathname.replace(/\/$/, '')}${search}`}`);
  return null;
}

let hash = window.location.hash;
let route = routeOf(hash, window.history.state);
const readers = new Set<() => void>();

function tell(): void {
  hash = window.location.hash;
  route = routeOf(hash, window.history.state);
  readers.forEach((call) => call());
}
window.addEventListener('popstate', tell);
window.addEventListener('hashchange', () => { if (window.location.hash !== hash) tell(); });

function subscribe(call: () => void): () => void {
  readers.add(call);
  return () => readers.delete(call);
}

export const useRoute = (): Route => useSyncExternalStore(subscribe, () => route);

export function go(to: string, handed: Handed | null = null): void {
  if (!handed && window.location.hash === `#/${to}`) return;
  window.history.pushState(handed, '', `#/${to}`);
  tell();
}
/** Goes without leaving a trace in the history: for links that hold a secret. */
export function replace(to: string): void {
  window.history.replaceState(null, '', `#/${to}`);
  tell();
}
/** Keeps what is on this page for a reload, and moves nowhere. */
export function keep(handed: Handed | null): void {
  window.history.replaceState(handed, '');
}
