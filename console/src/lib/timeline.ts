// Geometry of the time line around a moment: which stretch is shown, where bars begin and end, where ticks stand. Knows no pixels.
import type { Answer, ClockNote } from '../api/answer';
import { ZONE_MINUTES, duration, parse } from './time';

export type Zoom = 'moment' | 'mapping' | 'all';

export interface Span {
  key: string;
  what: 'mapping' | 'session' | 'gap';
  label: string;
  /** Null: not seen, or still open. */
  start: number | null;
  end: number | null;
  certain: boolean;
  /** Milliseconds that were taken off to come from the source's clock to ours. */
  shifted: number;
  candidate: number | null;
}
export interface Bar extends Span {
  /** Parts of the width, 0 to 1. */
  from: number;
  to: number;
  /** Goes on beyond the edge, or has no known end there. */
  openLeft: boolean;
  openRight: boolean;
  outside: boolean;
}
export interface Picture {
  from: number;
  to: number;
  moment: number;
  /** Widest tolerance of any clock. */
  band: [number, number];
  bars: Bar[];
  ticks: { at: number; x: number }[];
  step: number;
}

/** Widest tolerance in ms; the asker's skew where no clock is named. */
export function toleranceOf(answer: Answer): number {
  const all = [answer.skew, ...answer.clocks.map((c) => c.tolerance)].map((t) => duration(t) ?? 0);
  return Math.max(0, ...all);
}

function clockOf(answer: Answer, source: string | null): ClockNote | undefined {
  if (source !== null) return answer.clocks.find((c) => c.source === source);
  // A session is told of by its NAS: the one clock that is no mapping's.
  const mappings = new Set(answer.candidates.map((c) => c.mapping?.source));
  const rest = answer.clocks.filter((c) => !mappings.has(c.source));
  return rest.length === 1 ? rest[0] : undefined;
}

/** Times of a source are by its own clock. Only a clock that is known to be off is translated, as the program does. */
const shiftOf = (clock: ClockNote | undefined): number => (clock && clock.degraded ? clock.offset_ms : 0);

export function spansOf(answer: Answer): Span[] {
  const out: Span[] = [];
  answer.candidates.forEach((candidate, at) => {
    const { mapping, session } = candidate;
    if (mapping) {
      const shifted = shiftOf(clockOf(answer, mapping.source));
      out.push({
        key: `m${at}`, what: 'mapping', label: mapping.source, certain: mapping.certain, shifted, candidate: at,
        start: mapping.start === null ? null : parse(mapping.start) - shifted, end: mapping.end === null ? null : parse(mapping.end) - shifted,
      });
    }
    if (session) {
      const shifted = shiftOf(clockOf(answer, null));
      out.push({
        key: `s${at}`, what: 'session', label: session.nas, certain: session.certain, shifted, candidate: at,
        start: parse(session.start) - shifted, end: session.end === null ? null : parse(session.end) - shifted,
      });
    }
  });
  answer.gaps.forEach((gap, at) => {
    const shifted = shiftOf(answer.clocks.find((c) => c.source === gap.source));
    out.push({
      key: `g${at}`, what: 'gap', label: gap.source, certain: true, shifted, candidate: null,
      start: parse(gap.start) - shifted, end: parse(gap.end) - shifted,
    });
  });
  return out;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3,
  10_800e3, 21_600e3, 43_200e3, 86_400e3, 172_800e3, 604_800e3, 2_592_000e3];

export function stepOf(length: number, most: number): number {
  return STEPS.find((s) => length / s <= most) ?? Math.ceil(length / most);
}

/** Ticks at round times of the unit's zone. */
export function ticksOf(from: number, to: number, most: number): { step: number; at: number[] } {
  const step = stepOf(to - from, most);
  const zone = ZONE_MINUTES * 60_000;
  const out: number[] = [];
  for (let at = Math.ceil((from + zone) / step) * step - zone; at <= to; at += step) out.push(at);
  return { step, at: out };
}

function domain(spans: Span[], moment: number, tolerance: number, zoom: Zoom): [number, number] {
  const least = Math.max(3 * tolerance, 5000);
  let from = moment - least;
  let to = moment + least;
  if (zoom !== 'moment') {
    const wide = spans.filter((s) => zoom === 'all' || s.what !== 'session');
    for (const s of wide) {
      from = Math.min(from, s.start ?? from, s.end ?? from);
      to = Math.max(to, s.end ?? to, s.start ?? to);
    }
  }
  const room = (to - from) * 0.06;
  return [from - room, to + room];
}

/** The zoom that shows most at first: mappings if there are any, else everything. */
export function firstZoom(answer: Answer): Zoom {
  return answer.candidates.some((c) => c.mapping) ? 'mapping' : 'all';
}

export function picture(answer: Answer, zoom: Zoom, mostTicks = 6): Picture {
  const moment = parse(answer.asked.at);
  const tolerance = toleranceOf(answer);
  const spans = spansOf(answer);
  const [from, to] = domain(spans, moment, tolerance, zoom);
  const x = (at: number): number => Math.min(1, Math.max(0, (at - from) / (to - from)));
  const bars = spans.map((s): Bar => {
    const start = s.start ?? Number.NEGATIVE_INFINITY;
    const end = s.end ?? Number.POSITIVE_INFINITY;
    return { ...s, from: x(start), to: x(end), openLeft: start < from, openRight: end > to, outside: end < from || start > to };
  });
  const { step, at } = ticksOf(from, to, mostTicks);
  return { from, to, moment, band: [x(moment - tolerance), x(moment + tolerance)], bars, ticks: at.map((t) => ({ at: t, x: x(t) })), step };
}
