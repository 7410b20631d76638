// The one place that talks to the program: what it brings along, and what it makes good by itself.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Failure, get, onAgain, post, remove } from '../../src/api/client';

interface Asked { method: string; path: string; csrf: string | null }
let asked: Asked[];
/** What the program answers, one after the other. */
function answers(...list: { status?: number; csrf?: string; code?: string; body?: unknown }[]): void {
  asked = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked.push({ method: init.method ?? '', path, csrf: new Headers(init.headers).get('X-Weir-CSRF') });
    const next = list[asked.length - 1];
    if (!next) throw new Error(`asked once too often: ${path}`);
    const body = next.code ? { type: `urn:weir:problem:${next.code}`, title: 't', status: next.status, detail: 'd', todo: 'do' } : (next.body ?? {});
    return Promise.resolve(new Response(JSON.stringify(body), { status: next.status ?? 200, headers: next.csrf ? { 'X-Weir-CSRF': next.csrf } : {} }));
  });
}

describe('what a change brings along', () => {
  beforeEach(() => answers({ csrf: 'first' }));
  afterEach(() => vi.unstubAllGlobals());

  it('is what the last answer that renewed the session told', async () => {
    await get('/session');
    answers({ csrf: 'second' }, {});
    await post('/me/passkeys/finish', {});
    await remove('/session');
    expect(asked.map((a) => a.csrf)).toEqual(['first', 'second']);
  });
  it('is asked for anew when another tab renewed the session, and the change made once more', async () => {
    await get('/session');
    answers({ status: 403, code: 'csrf' }, { csrf: 'second' }, { body: { done: true } });
    expect(await post('/me/password', {})).toEqual({ done: true });
    expect(asked).toEqual([
      { method: 'POST', path: '/api/v1/me/password', csrf: 'first' },
      { method: 'GET', path: '/api/v1/session', csrf: null },
      { method: 'POST', path: '/api/v1/me/password', csrf: 'second' },
    ]);
  });
  it('is not tried again when the session is the same', async () => {
    await get('/session');
    answers({ status: 403, code: 'csrf' }, { csrf: 'first' });
    await expect(post('/me/password', {})).rejects.toMatchObject({ code: 'csrf' });
  });
  it('is never a loop', async () => {
    await get('/session');
    answers({ status: 403, code: 'csrf' }, { csrf: 'second' }, { status: 403, code: 'csrf' });
    await expect(post('/me/password', {})).rejects.toBeInstanceOf(Failure);
  });
});

describe('a sign-in that is too old', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is renewed by the dialogue, and what was asked is asked once more with what it brought', async () => {
    onAgain(async () => { await post('/me/again', {}); return true; });
    answers({ status: 403, code: 'sign-in-again' }, { csrf: 'third' }, {});
    await post('/me/tokens', {});
    expect(asked.map((a) => a.path)).toEqual(['/api/v1/me/tokens', '/api/v1/me/again', '/api/v1/me/tokens']);
    expect(asked[2]?.csrf).toBe('third');
  });
  it('stays one when the dialogue is closed', async () => {
    onAgain(() => Promise.resolve(false));
    answers({ status: 403, code: 'sign-in-again' });
    await expect(post('/me/tokens', {})).rejects.toMatchObject({ code: 'sign-in-again' });
  });
});
