// A handed-over log line, and the names of numbers in records.
import { describe, expect, it } from 'vitest';
import { lineOf, written } from '../../src/pages/records/line';
import { nameOf } from '../../src/pages/records/names';

const ID = '0123456789abcdef0123456789abcdef';

describe('a log line that was handed over', () => {
  it('is read as it was copied', () => {
    const line = { id: ID, time: '2026-11-22T10:00:00.123+08:00' };
    expect(lineOf(written(line))).toEqual(line);
    expect(lineOf(`  ${ID.toUpperCase()}, 2026-11-22 10:00:00.123\n`)).toEqual(line);
  });
  it('needs an id and a time', () => {
    for (const text of ['', ID, `${ID} soon`, `${ID.slice(1)} 2026-11-22 10:00:00`, '2026-11-22 10:00:00']) expect(lineOf(text), text).toBeNull();
  });
});

describe('numbers of the standards', () => {
  it('have their names, where the column is theirs', () => {
    expect(nameOf('protocol', '', 17)).toBe('udp');
    expect(nameOf('severity', '', 0)).toBe('emerg');
    expect(nameOf('status', '`Acct-Status-Type` (RFC 2866, 40)', 3)).toBe('Interim-Update');
    expect(nameOf('status', 'HTTP status', 3)).toBeUndefined();
    expect([nameOf('protocol', '', 253), nameOf('protocol', '', 'tcp'), nameOf('source', '', 6)]).toEqual([undefined, undefined, undefined]);
  });
});
