// An answer in words: tone, certainty, and the text that is copied.
import type { Answer, Candidate } from '../../api/answer';
import type { Words } from '../../i18n';
import { end } from '../../lib/format';
import type { Tone } from '../../ui/Bits';

export const TONE: Record<Answer['answer'], Tone> = { one: 'ok', none: 'info', several: 'warn', unknown: 'warn' };

export function certain(candidate: Candidate): boolean {
  return (candidate.mapping?.certain ?? true) && (candidate.session?.certain ?? true);
}

/** Why, in the reader's language: the program's own sentence, which names the sources, where there is one. */
export function why(answer: Answer, words: Words): string {
  if (words.lang === 'en' && answer.reason) return sentence(answer.reason, answer.clocks.map((clock) => clock.source));
  return answer.reason_zh && answer.reason_zh !== answer.reason ? `${answer.reason_zh}${/[。！？]$/.test(answer.reason_zh) ? '' : '。'}` : words.code('reason', answer.code, answer.reason);
}

/** With a capital and a full stop; a source's name at its beginning stays as it is. */
function sentence(text: string, names: string[]): string {
  const named = names.some((name) => text.startsWith(`${name} `)) || /^\S*[^\p{L}\s,:]\S/u.test(text);
  return `${named ? text : text.charAt(0).toUpperCase() + text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

export function offset(ms: number, words: Words): string {
  if (ms === 0) return words.t('clock.exact');
  return words.t(ms > 0 ? 'clock.ahead' : 'clock.behind', { n: words.span(Math.abs(ms)) });
}

/** The whole answer as plain text, for a report. */
export function textOf(answer: Answer, words: Words): string {
  const { t } = words;
  const lines = [
    `${t('text.asked')}: ${end(answer.asked.public, answer.asked.port)}${answer.asked.protocol ? ` ${answer.asked.protocol}` : ''} @ ${answer.asked.at}${answer.asked.remote ? ` → ${answer.asked.remote}` : ''} (± ${answer.skew})`,
    `${t('text.answer')}: ${t(`answer.${answer.answer}`)} [${answer.answer}, ${answer.code}]`,
    `${t('text.why')}: ${why(answer, words)}`,
  ];
  answer.candidates.forEach((c, n) => {
    lines.push('', `${t('chain.candidate', { n: n + 1 })}: ${c.subscriber ?? t('chain.noSubscriber')}`, `  ${t('chain.realm')}: ${c.realm}`, `  ${t('chain.inside')}: ${end(c.inside.address, c.inside.port)}`);
    if (c.mapping) lines.push(`  ${t('chain.mapping')}: ${c.mapping.source}, ${c.mapping.start ?? t('chain.notSeen')} – ${c.mapping.end ?? t('chain.open')}, ${t(c.mapping.certain ? 'chain.certain' : 'chain.uncertain')}`);
    if (c.session) lines.push(`  ${t('chain.session')}: ${c.session.id} @ ${c.session.nas}, ${c.session.start} – ${c.session.end ?? t('chain.open')}, ${t(c.session.certain ? 'chain.certain' : 'chain.uncertain')}`);
  });
  if (answer.candidates_left > 0) lines.push(t('chain.left', { n: answer.candidates_left }));
  answer.gaps.forEach((g) => lines.push(`${t('text.gap')}: ${g.source}, ${g.lost ?? '?'}, ${g.start} – ${g.end}`));
  answer.clocks.forEach((c) => lines.push(`${t('text.clock')}: ${c.source}, ${offset(c.offset_ms, words)}, ± ${c.tolerance}`));
  return lines.join('\n');
}
