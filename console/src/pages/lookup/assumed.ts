// What the program says about a paste, in the reader's language. What is not known here is shown in the program's own words.
import type { Key, Words } from '../../i18n';

const SAID: [RegExp, Key][] = [
  [/^the time names no zone: (\S+) is taken/, 'assumed.zone'],
  [/^the time names no year: (\d+) is taken/, 'assumed.year'],
  [/^the time names no seconds/, 'assumed.seconds'],
  [/^CST is taken/, 'assumed.cst'],
  [/^no port stands with the address/, 'assumed.port'],
  [/^the far end is the one/, 'assumed.far'],
  [/^the first address is a private one/, 'assumed.private'],
  [/^the number at the end of the line/, 'assumed.clientPort'],
  [/^belongs to line (\d+)/, 'assumed.belongs'],
  [/^no address in it/, 'unread.address'],
  [/^no time in it/, 'unread.time'],
  [/^day and month may be read two ways/, 'unread.date'],
  [/^the zone's name has several meanings/, 'unread.zone'],
  [/^there is no such day or hour/, 'unread.noSuch'],
];

export function said(text: string, { t }: Words): string {
  for (const [pattern, key] of SAID) {
    const found = pattern.exec(text);
    if (found) return t(key, { what: found[1] ?? '' });
  }
  return text;
}
