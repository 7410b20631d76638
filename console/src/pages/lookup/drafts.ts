// Questions while they are written: what was read from a paste, what a person changed, and whether they can be asked.
import type { Question, ReadLine, Words } from '../../api/types';
import { ZONE, duration, moment } from '../../lib/time';

export interface Draft {
  key: number;
  public: string;
  at: string;
  protocol: string;
  remote: string;
  /** Line of the paste; null where it was typed. */
  line: number | null;
  form: string | null;
  assumed: Words[];
  problem: Words | null;
  /** What the program found the time to be worth, e.g. `32s` for one without seconds; null: the form's own. */
  skew: string | null;
}

export const MOST = 100;

let next = 0;
export function blank(): Draft {
  next += 1;
  return { key: next, public: '', at: '', protocol: '', remote: '', line: null, form: null, assumed: [], problem: null, skew: null };
}

/** RFC 3339 as people write it: a space for the T, and the zone apart. */
export function readable(at: string): string {
  return at.replace('T', ' ').replace(/\.000(?=[Z+-])/, '').replace(/(Z|[+-]\d\d:\d\d)$/, ' $1').trim();
}

/** What of a line that could not be read belongs into the fields, so that it can be put right there. */
function asTyped(line: string): Partial<Question> {
  const end = /\[[0-9a-fA-F:.]+\](:\d+)?|(\d+\.){3}\d+(:\d+)?/.exec(line)?.[0];
  const at = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:\d\d))?/.exec(line)?.[0];
  return { public: end ?? line.trim(), at: at ?? '' };
}

/** `line`: the line as it was pasted. */
export function draftOf(read: ReadLine, line = ''): Draft {
  const q: Partial<Question> = read.question ?? asTyped(line);
  return {
    ...blank(), public: q.public ?? '', at: q.at ? readable(q.at) : '', protocol: q.protocol ?? '', remote: q.remote ?? '',
    line: read.line, form: read.form ?? null, assumed: read.assumed, problem: read.problem ?? null, skew: q.skew ?? null,
  };
}

const END = /^(\[[0-9a-fA-F:.]+\](:\d{1,5})?|(\d{1,3}\.){3}\d{1,3}(:\d{1,5})?|[0-9a-fA-F]*:[0-9a-fA-F:.]+)$/;

export function endOk(text: string): boolean {
  const trimmed = text.trim();
  if (!END.test(trimmed)) return false;
  const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?::(\d+))?$/.exec(trimmed);
  if (v4) return v4.slice(1, 5).every((n) => Number(n) <= 255) && Number(v4[5] ?? 0) <= 65_535;
  return Number(/\]:(\d+)$/.exec(trimmed)?.[1] ?? 0) <= 65_535;
}

export type Fault = 'public' | 'at' | 'protocol' | 'remote';

/** What keeps a draft from being asked. The program checks again, and more. */
export function faults(draft: Draft): Fault[] {
  const out: Fault[] = [];
  if (!endOk(draft.public)) out.push('public');
  if (moment(draft.at) === null) out.push('at');
  if (draft.protocol && !/^(tcp|udp|icmp|icmpv6|sctp|dccp|gre|\d{1,3})$/i.test(draft.protocol.trim())) out.push('protocol');
  if (draft.remote && !endOk(draft.remote)) out.push('remote');
  return out;
}

export function questionOf(draft: Draft, skew: string): Question {
  const out: Question = { public: draft.public.trim(), at: moment(draft.at, ZONE) ?? draft.at.trim() };
  if (draft.protocol.trim()) out.protocol = draft.protocol.trim().toLowerCase();
  if (draft.remote.trim()) out.remote = draft.remote.trim();
  const own = wider(draft.skew, skew);
  if (own) out.skew = own.replace(/\s+/g, '');
  return out;
}

/** The wider of two tolerances: a time without seconds stays as vague as it is. */
function wider(one: string | null, other: string): string | null {
  const [a, b] = [one === null ? null : duration(one), duration(other)];
  if (a === null) return b === null ? null : other;
  return b !== null && b > a ? other : one;
}
