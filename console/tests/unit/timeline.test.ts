// Geometry of the time line.
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/api/answer';
import { firstZoom, picture, stepOf, ticksOf, toleranceOf } from '../../src/lib/timeline';
import { parse } from '../../src/lib/time';

const base: Answer = {
  answer: 'one', code: 'holder', reason: '', skew: '2s', candidates_left: 0, gaps_left: 0, gaps: [],
  asked: { public: '203.0.113.7', port: 40_000, protocol: 'tcp', at: '2026-11-22T10:00:00.000+08:00', remote: null },
  clocks: [
    { source: 'cgn-a', offset_ms: 0, asked_at: '2026-11-22T10:00:00.000+08:00', tolerance: '2s', basis: 'measured', degraded: false },
    { source: 'nas-a', offset_ms: 0, asked_at: '2026-11-22T10:00:00.000+08:00', tolerance: '3s', basis: 'measured', degraded: false },
  ],
  candidates: [{
    realm: 'home', subscriber: 'c', inside: { address: '100.64.0.12', port: 50_012 },
    mapping: { kind: 'session', start: '2026-11-22T09:59:51.000+08:00', end: '2026-11-22T10:00:09.123+08:00', certain: true, source: 'cgn-a' },
    session: { id: 'acct-12', start: '2026-11-22T09:00:00.000+08:00', end: null, inferred: false, nas: '192.0.2.1', certain: true, record: '64' },
  }],
};

describe('the picture', () => {
  it('shows the mapping whole, and the session running beyond both edges', () => {
    const p = picture(base, 'mapping');
    const [mapping, session] = p.bars;
    expect(mapping).toMatchObject({ openLeft: false, openRight: false, outside: false });
    expect(mapping?.from).toBeGreaterThan(0);
    expect(mapping?.to).toBeLessThan(1);
    expect(session).toMatchObject({ from: 0, to: 1, openLeft: true, openRight: true });
  });
  it('draws the widest tolerance around the moment', () => {
    expect(toleranceOf(base)).toBe(3000);
    const p = picture(base, 'moment');
    const at = (p.moment - p.from) / (p.to - p.from);
    expect((p.band[0] + p.band[1]) / 2).toBeCloseTo(at);
    expect((p.band[1] - p.band[0]) * (p.to - p.from)).toBeCloseTo(6000);
  });
  it('translates only a clock that is known to be off', () => {
    const off = structuredClone(base);
    off.clocks[0] = { source: 'cgn-a', offset_ms: -1_800_000, asked_at: '2026-11-22T09:30:00.000+08:00', tolerance: '2s', basis: 'measured', degraded: true };
    off.candidates[0]!.mapping!.start = '2026-11-22T09:29:51.000+08:00';
    off.candidates[0]!.mapping!.end = '2026-11-22T09:30:09.123+08:00';
    const bar = picture(off, 'mapping').bars[0];
    expect(bar).toMatchObject({ shifted: -1_800_000, start: parse('2026-11-22T09:59:51.000+08:00'), outside: false });
    const near = structuredClone(off);
    near.clocks[0]!.degraded = false;
    expect(picture(near, 'moment').bars[0]).toMatchObject({ shifted: 0, outside: true });
  });
  it('leaves an unseen begin open, and puts gaps in', () => {
    const lost = structuredClone(base);
    lost.candidates[0]!.mapping!.start = null;
    lost.gaps = [{ source: 'cgn-a', start: '2026-11-22T09:59:55.000+08:00', end: '2026-11-22T09:59:55.999+08:00', lost: 3, id: '1' }];
    const p = picture(lost, 'mapping');
    expect(p.bars[0]).toMatchObject({ openLeft: true, from: 0 });
    expect(p.bars.find((b) => b.what === 'gap')?.outside).toBe(false);
  });
  it('begins with sessions where nothing is translated', () => {
    const plain = structuredClone(base);
    plain.candidates[0]!.mapping = null;
    expect([firstZoom(base), firstZoom(plain)]).toEqual(['mapping', 'all']);
    expect(picture(plain, 'all').bars[0]).toMatchObject({ openLeft: false, openRight: true });
  });
});

describe('ticks', () => {
  it('stand at round times of the unit’s zone and are never too many', () => {
    for (const length of [5, 900, 20_000, 7_000_000, 5 * 86_400_000, 400 * 86_400_000]) {
      const from = parse('2026-11-22T09:13:07.123+08:00');
      const { step, at } = ticksOf(from, from + length, 6);
      expect(at.length).toBeLessThanOrEqual(7);
      expect(step).toBe(stepOf(length, 6));
      expect(at.every((t) => t >= from && t <= from + length)).toBe(true);
    }
    const day = parse('2026-11-22T09:00:00+08:00');
    expect(ticksOf(day, day + 3 * 86_400_000, 4).at[0]).toBe(parse('2026-11-23T00:00:00+08:00'));
  });
});
