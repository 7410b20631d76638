// Times: always shown in the unit's zone, which is said beside them. Nothing here depends on the browser's own zone.

/** The unit's zone in minutes east of UTC: days of the store are days in UTC+8. */
export const ZONE_MINUTES = 480;
export const ZONE = '+08:00';
export const ZONE_NAME = 'UTC+8';

const two = (n: number): string => String(n).padStart(2, '0');

export type Detail = 'day' | 'minute' | 'second' | 'ms' | 'clock' | 'clock-ms';

/** Milliseconds since 1970 of an RFC 3339 text; NaN where it is none. */
export function parse(text: string | null | undefined): number {
  return text ? Date.parse(text) : Number.NaN;
}

/** A moment in the unit's zone. */
export function show(at: number, detail: Detail = 'second'): string {
  if (!Number.isFinite(at)) return '–';
  const d = new Date(at + ZONE_MINUTES * 60_000);
  const day = `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
  const minute = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  const second = `${minute}:${two(d.getUTCSeconds())}`;
  const ms = `${second}.${String(d.getUTCMilliseconds()).padStart(3, '0')}`;
  switch (detail) {
    case 'day': return day;
    case 'minute': return `${day} ${minute}`;
    case 'second': return `${day} ${second}`;
    case 'ms': return `${day} ${ms}`;
    case 'clock': return second;
    case 'clock-ms': return ms;
  }
}

/** RFC 3339 in the unit's zone, with milliseconds. */
export function rfc3339(at: number): string {
  return `${show(at, 'ms').replace(' ', 'T')}${ZONE}`;
}

const MOMENT = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T\s_]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;

/** What a person writes for a moment, as RFC 3339; null where it is no moment. Without a zone the given one counts. */
export function moment(text: string, zone: string = ZONE): string | null {
  const trimmed = text.trim();
  if (/^\d{10}(\.\d+)?$/.test(trimmed)) return rfc3339(Math.round(Number(trimmed) * 1000));
  if (/^\d{13}$/.test(trimmed)) return rfc3339(Number(trimmed));
  const found = MOMENT.exec(trimmed);
  if (!found) return null;
  const [, y, mo, d, h = '0', mi = '00', s = '00', fraction = '', named] = found;
  const day = `${y}-${two(Number(mo))}-${two(Number(d))}`;
  const clock = `${two(Number(h))}:${mi}:${s}.${fraction.slice(0, 3).padEnd(3, '0')}`;
  let offset = zone;
  if (named) offset = /^[+-]/.test(named) ? `${named.slice(0, 3)}:${named.slice(-2)}` : '+00:00';
  const out = `${day}T${clock}${offset}`;
  const at = Date.parse(out);
  if (!Number.isFinite(at)) return null;
  // Date takes the 30th of February for the 2nd of March.
  const minutes = (offset.startsWith('-') ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6)));
  return new Date(at + minutes * 60_000).toISOString().slice(0, 10) === day ? out : null;
}

/** `2s`, `150ms`, `10min` to milliseconds; null where it is none. */
export function duration(text: string): number | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?\s*$/.exec(text);
  if (!found) return null;
  const unit = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }[found[2] ?? 's'] ?? 1000;
  return Math.round(Number(found[1]) * unit);
}

/** Looks like a moment that the program wrote. */
export const isMoment = (value: unknown): value is string => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);
