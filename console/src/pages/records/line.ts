// A log line that was handed over: its id and its time, as they are copied from the records.
import { moment } from '../../lib/time';

export interface Line { id: string; time: string }

/** What is copied for another person. */
export const written = ({ id, time }: Line): string => `${id} ${time}`;

/** Reads what was copied; null where an id or a time is missing. */
export function lineOf(text: string): Line | null {
  const found = /^\s*([0-9a-f]{32})[\s,;]+(\S.*?)\s*$/i.exec(text);
  const time = found?.[2] ? moment(found[2]) : null;
  return found?.[1] && time ? { id: found[1].toLowerCase(), time } : null;
}
