// Times and numbers, whatever the zone of the machine that runs this.
import { describe, expect, it } from 'vitest';
import { wordsOf } from '../../src/i18n';
import { bytes, end, rate, short, span } from '../../src/lib/format';
import { duration, moment, parse, rfc3339, show } from '../../src/lib/time';

describe('a moment as people write it', () => {
  const cases: [string, string | null][] = [
    ['2026-11-22 10:00:00.123', '2026-11-22T10:00:00.123+08:00'],
    ['2026-11-22T10:00:00Z', '2026-11-22T10:00:00.000+00:00'],
    ['2026/11/22 9:05', '2026-11-22T09:05:00.000+08:00'],
    ['2026-11-22 10:00:00 +0530', '2026-11-22T10:00:00.000+05:30'],
    ['2026-11-22 10:00:00,5', '2026-11-22T10:00:00.500+08:00'],
    ['2026-11-22', '2026-11-22T00:00:00.000+08:00'],
    ['1795399200', '2026-11-23T10:00:00.000+08:00'],
    ['2026-02-30 10:00:00', null],
    ['2026-11-22 25:00:00', null],
    ['yesterday', null],
    ['', null],
  ];
  for (const [text, wanted] of cases) it(JSON.stringify(text), () => expect(moment(text)).toBe(wanted));
});

describe('a moment as it is shown', () => {
  it('is in the unit’s zone', () => {
    expect(show(parse('2026-11-22T20:00:00.123Z'), 'ms')).toBe('2026-11-23 04:00:00.123');
    expect(rfc3339(parse('2026-11-22T20:00:00Z'))).toBe('2026-11-23T04:00:00.000+08:00');
    expect(show(Number.NaN)).toBe('–');
  });
});

describe('lengths and numbers', () => {
  it('reads what the program writes', () => {
    expect(['2s', '150ms', '10min', '1.5h', '7'].map(duration)).toEqual([2000, 150, 600_000, 5_400_000, 7000]);
    expect(duration('soon')).toBeNull();
  });
  it('is short and exact', () => {
    expect([18_123, 150, 11_520_000, -3_600_000, 90_061_000].map((ms) => span(ms))).toEqual(['18.123 s', '150 ms', '3 h 12 min', '−1 h', '1 d 1 h']);
    const zh = wordsOf('zh');
    expect([18_123, 150, 11_520_000, -3_600_000, 90_061_000].map(zh.span)).toEqual(['18.123 秒', '150 毫秒', '3 小时 12 分钟', '−1 小时', '1 天 1 小时']);
    expect([999, 12_345, 1_234_567, 312_345_678].map(zh.short)).toEqual(['999', '1.2 万', '123.5 万', '3.1 亿']);
    expect([0, 0.25, 3.14, 12_345].map(rate)).toEqual(['0', '0.25', '3.1', '12,345']);
    expect([999, 12_345, 1_234_567].map((n) => short(n))).toEqual(['999', '12.3 k', '1.2 M']);
    expect([0, 1023, 1536, 812_000_000_000].map(bytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '756 GiB']);
    expect([end('203.0.113.7', 80), end('2001:db8::1', 443), end('192.0.2.1', null)]).toEqual(['203.0.113.7:80', '[2001:db8::1]:443', '192.0.2.1']);
  });
});
