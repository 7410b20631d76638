// Routes live in the fragment, so that no server sees where one is, nor a one-use token in a link.
import { useSyncExternalStore } from 'react';

export interface Route { page: string; rest: string[]; params: URLSearchParams }

export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/').map(decode);
  return { page, rest, params: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

let hash = window.location.hash;
let route = routeOf(hash);

function subscribe(call: () => void): () => void {
  window.addEventListener('hashchange', call);
  return () => window.removeEventListener('hashchange', call);
}
function snapshot(): Route {
  if (window.location.hash !== hash) {
    hash = window.location.hash;
    route = routeOf(hash);
  }
  return route;
}

export const useRoute = (): Route => useSyncExternalStore(subscribe, snapshot);

export function go(to: string): void {
  window.location.hash = `/${to}`;
}
/** Goes without leaving a trace in the history: for links that hold a secret. */
export function replace(to: string): void {
  window.history.replaceState(null, '', `#/${to}`);
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}
