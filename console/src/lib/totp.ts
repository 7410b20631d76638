// Codes by time (RFC 6238: HMAC-SHA-1, six digits, 30 seconds), for the demonstration alone: there the page may stand in for the app.
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const KEPT = 'weir.demo.app';

function bytesOf(base32: string): Uint8Array<ArrayBuffer> {
  const bits = [...base32].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return new Uint8Array((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

const STEP = 30_000;

/** The code of a moment, in milliseconds. */
export async function codeOf(base32: string, at: number): Promise<string> {
  const key = await crypto.subtle.importKey('raw', bytesOf(base32), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']);
  const step = new DataView(new ArrayBuffer(8));
  step.setBigUint64(0, BigInt(Math.floor(at / STEP)));
  const tag = new DataView(await crypto.subtle.sign('HMAC', key, step.buffer));
  const value = tag.getUint32(tag.getUint8(19) & 15) & 0x7fff_ffff;
  return String(value % 1_000_000).padStart(6, '0');
}

/** A code that was not given before: each is good once, and the program takes the next one half a minute early. */
async function fresh(base32: string, last: number): Promise<string> {
  const step = Math.max(Math.floor(Date.now() / STEP), last + 1);
  try {
    localStorage.setItem(KEPT, `${base32} ${step}`);
  } catch {
    // A browser that keeps nothing: whoever signs out begins the demonstration anew.
  }
  return codeOf(base32, step * STEP);
}

/** From now on this browser is the app of somebody in the demonstration; the first code. */
export const adopt = (base32: string): Promise<string> => fresh(base32, 0);

/** The next code, where this browser is the app. */
export function nextCode(): (() => Promise<string>) | null {
  try {
    const [secret, last] = (localStorage.getItem(KEPT) ?? '').split(' ');
    return secret ? () => fresh(secret, Number(last)) : null;
  } catch {
    return null;
  }
}
