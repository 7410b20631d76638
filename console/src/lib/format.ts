// Numbers, sizes and lengths of time as people read them.

export function count(n: number | null | undefined): string {
  return n === null || n === undefined ? '–' : Math.round(n).toLocaleString('en-US');
}

export function rate(n: number): string {
  if (!Number.isFinite(n)) return '–';
  if (n === 0) return '0';
  if (n < 10) return n.toFixed(n < 1 ? 2 : 1);
  return count(n);
}

/** 1,234,567 as 1.2 M, or in the steps of another language, largest first; below ten thousand every digit is shown. */
export function short(n: number, steps: readonly (readonly [number, string])[] = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]): string {
  if (Math.abs(n) < 1e4) return count(n);
  const [size, unit] = steps.find(([least]) => Math.abs(n) >= least) ?? [1, ''];
  return `${(n / size).toFixed(1)} ${unit}`;
}

export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let at = 0;
  let value = n;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[at]}`;
}

export type Unit = 'd' | 'h' | 'min' | 's' | 'ms';

/** A length of time in the two largest units that matter: `3 h 12 min`, `18.123 s`, `150 ms`. `say` names the units in another language. */
export function span(ms: number, say: (unit: Unit) => string = (unit) => unit): string {
  const sign = ms < 0 ? '−' : '';
  const n = Math.abs(ms);
  if (n < 1000) return `${sign}${Math.round(n)} ${say('ms')}`;
  if (n < 60_000) return `${sign}${Number((n / 1000).toFixed(3))} ${say('s')}`;
  const parts: [number, Unit][] = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']];
  const first = parts.findIndex(([size]) => n >= size);
  const [size, unit] = parts[first] ?? [1000, 's'];
  const whole = Math.floor(n / size);
  const next = parts[first + 1];
  const rest = next ? Math.floor((n - whole * size) / next[0]) : 0;
  return `${sign}${whole} ${say(unit)}${next && rest > 0 ? ` ${rest} ${say(next[1])}` : ''}`;
}

/** An id short enough for a table. */
export function shortId(id: string): string {
  return id.length > 14 ? `${id.slice(0, 8)}…${id.slice(-4)}` : id;
}

/** Address and port as one writes them. */
export function end(address: string, port: number | null | undefined): string {
  if (port === null || port === undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
