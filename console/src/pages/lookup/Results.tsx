// Answers to many questions: a line each; one is open below.
import { Button } from 'antd';
import { isRefused } from '../../api/answer';
import { useWords } from '../../i18n';
import { end, shortId } from '../../lib/format';
import { Copy, Pill, Time } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Panel } from '../../ui/Page';
import type { Asked } from './Lookup';
import { TONE, textOf } from './words';

interface Row extends Asked { n: number }

export function Results({ asked, open, onOpen }: { asked: Asked[]; open: number; onOpen: (n: number) => void }) {
  const words = useWords();
  const { t, code, pick } = words;
  const rows: Row[] = asked.map((one, n) => ({ ...one, n }));
  const counts = new Map<string, number>();
  for (const { answer } of asked) {
    const key = isRefused(answer) ? 'refused' : answer.answer;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const first = (row: Row) => (isRefused(row.answer) ? undefined : row.answer.candidates[0]);
  const cols: Col<Row>[] = [
    { key: 'n', title: '#', wideOnly: true, render: (r) => <span className="num dim">{r.n + 1}</span> },
    { key: 'public', title: t('ask.public'), main: true, render: (r) => <span className="mono">{r.question.public}</span> },
    {
      key: 'answer', title: t('answer.title'), beside: true,
      render: (r) => (isRefused(r.answer) ? <Pill tone="err">{t('answer.refused')}</Pill> : <Pill tone={TONE[r.answer.answer]}>{t(`answer.${r.answer.answer}`)}</Pill>),
    },
    { key: 'at', title: t('ask.at'), render: (r) => <Time at={r.question.at} detail="ms" /> },
    { key: 'subscriber', title: t('chain.subscriber'), render: (r) => <span className="mono" title={first(r)?.subscriber ?? ''}>{first(r)?.subscriber ? shortId(first(r)?.subscriber ?? '') : '–'}</span> },
    { key: 'inside', title: t('chain.inside'), render: (r) => { const c = first(r); return <span className="mono">{c ? end(c.inside.address, c.inside.port) : '–'}</span>; } },
    { key: 'why', title: t('text.why'), render: (r) => <span className="wrap">{isRefused(r.answer) ? pick(r.answer.error.what) : code('short', r.answer.code)}</span> },
    { key: 'open', title: '', acts: true, render: (r) => <Button size="small" type={r.n === open ? 'primary' : 'default'} aria-pressed={r.n === open} onClick={() => onOpen(r.n)}>{t('do.open')}</Button> },
  ];
  const all = asked.map(({ answer }) => answer);
  return (
    <Panel
      title={t('results.title', { n: asked.length })} flush
      aside={<>{[...counts].map(([key, n]) => <Pill key={key} tone={key === 'refused' ? 'err' : TONE[key as 'one']}>{code('answer', key)} {n}</Pill>)}
        <Copy text={all.map((a) => (isRefused(a) ? pick(a.error.what) : textOf(a, words))).join('\n\n')} label={t('copy.text')} />
        <Copy text={JSON.stringify(all, null, 2)} label={t('copy.json')} /></>}
    >
      <List rows={rows} cols={cols} id={(r) => String(r.n)} label={t('results.title', { n: asked.length })} onOpen={(r) => onOpen(r.n)} />
    </Panel>
  );
}
