// An answer of a look-up, as `weir lookup --json` shows it (docs/answers.md). Fields may be added to it; none is taken away.
import type { Words } from './types';

export interface MappingNote { kind: string; start: string | null; end: string | null; certain: boolean; source: string }
export interface SessionNote { id: string; start: string; end: string | null; inferred: boolean; nas: string; certain: boolean; record: string }
export interface Candidate {
  realm: string;
  subscriber: string | null;
  inside: { address: string; port: number | null };
  mapping: MappingNote | null;
  session: SessionNote | null;
}
export interface GapNote { source: string; start: string; end: string; lost: number | null; id: string | null }
export interface ClockNote { source: string; offset_ms: number; asked_at: string; tolerance: string; basis: string; degraded: boolean }
export interface Answer {
  answer: 'one' | 'none' | 'several' | 'unknown';
  asked: { public: string; port: number | null; protocol: string | null; at: string; remote: string | null };
  candidates: Candidate[];
  gaps: GapNote[];
  clocks: ClockNote[];
  reason: string;
  /** The reason in Chinese, from the desk alone. */
  reason_zh?: string | null;
  skew: string;
  code: string;
  candidates_left: number;
  gaps_left: number;
}
/** A question that could not be answered at all. */
export interface Refused { error: { what: Words; todo: Words } }

export function isRefused(value: Answer | Refused): value is Refused {
  return typeof (value as Refused).error === 'object';
}
