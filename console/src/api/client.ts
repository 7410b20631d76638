// The one place that talks to the program: adds the CSRF token, reads problem documents, tells the shell when the session has ended.
import type { Problem } from './types';

/** Why a request was not done; always has words for what to do next. */
export class Failure extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
  /** Last part of the problem's type, e.g. `not-signed-in`. */
  get code(): string {
    return codeOf(this.problem);
  }
}

export function codeOf(problem: Problem): string {
  return problem.type.split(':').pop() ?? '';
}

let csrf = '';
let spoken = 'en';
let ended: () => void = () => undefined;
let again: () => Promise<boolean> = () => Promise.resolve(false);
let asking: Promise<boolean> | null = null;

/** The language the program should answer in, as `Accept-Language` names it. */
export function speak(language: string): void {
  spoken = language;
}
/** Called when something needs a fresh sign-in; answers whether there was one. Then what was asked is asked once more. */
export function onAgain(call: () => Promise<boolean>): void {
  again = call;
}

/** What the session's own answer said; the page's first one came before this was there (api/early.ts). */
export function setCsrf(token: string): void {
  csrf = token;
}
/** Called when the program says that nobody is signed in any more. */
export function onEnded(call: () => void): void {
  ended = call;
}

export type Query = Record<string, string | number | null | undefined>;

export function pathOf(path: string, query?: Query): string {
  const parts = Object.entries(query ?? {})
    .filter(([, value]) => value !== undefined && value !== null && value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`);
  return `/api/v1${path}${parts.length > 0 ? `?${parts.join('&')}` : ''}`;
}

/** One dialogue, however many requests wait for it. */
function signInAgain(): Promise<boolean> {
  asking ??= again().finally(() => { asking = null; });
  return asking;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Problem;
    if (typeof body.type === 'string') return body;
  } catch {
    // Not a problem document: something in between answered.
  }
  return { type: 'urn:weir:problem:unreadable', title: '', status: response.status, detail: '', todo: '' };
}

/** Makes good what kept a request from being done, if it can be: a session that another tab renewed, a sign-in that is too old. */
async function madeGood(failure: Failure): Promise<boolean> {
  if (failure.code === 'sign-in-again') return signInAgain();
  if (failure.code !== 'csrf') return false;
  const before = csrf;
  await sendOnce('GET', '/api/v1/session');
  return csrf !== before;
}

/** Sends and hands over the response; throws `Failure` for everything that is not 2xx. What could be made good is asked once more. */
export async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  try {
    return await sendOnce(method, path, body, signal);
  } catch (error) {
    if (!(error instanceof Failure) || !(await madeGood(error))) throw error;
    return sendOnce(method, path, body, signal);
  }
}

async function sendOnce(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': spoken };
  const unsafe = method !== 'GET';
  if (unsafe) headers['Content-Type'] = 'application/json';
  if (unsafe && csrf) headers['X-Weir-CSRF'] = csrf;
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: unsafe && method !== 'DELETE' ? JSON.stringify(body ?? {}) : undefined,
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure({ type: 'urn:weir:problem:unreachable', title: '', status: 0, detail: '', todo: '' });
  }
  // Whatever opened or renewed the session tells here what the next change must bring along.
  csrf = response.headers.get('X-Weir-CSRF') ?? csrf;
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status === 401 && codeOf(problem) === 'not-signed-in') ended();
  throw new Failure(problem);
}

async function json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, body, signal);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> => json<T>('GET', pathOf(path, query), undefined, signal);
export const post = <T = void>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> => json<T>('POST', pathOf(path), body, signal);
export const remove = <T = void>(path: string): Promise<T> => json<T>('DELETE', pathOf(path));
