// Who held this public address and port at this moment? Paste or type, say why, read the answer.
import { Button, Collapse, Input } from 'antd';
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Answer, type Refused, isRefused } from '../../api/answer';
import { post } from '../../api/client';
import type { Answers, Question, Read } from '../../api/types';
import { useAction } from '../../app/load';
import { keep, useRoute } from '../../app/router';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { ZONE } from '../../lib/time';
import { Page, Panel } from '../../ui/Page';
import { Failed, Nothing, Waiting } from '../../ui/State';
import { AnswerView, RefusedView } from './AnswerView';
import { Ask } from './Ask';
import { Results } from './Results';
import { type Draft, MOST, blank, draftOf, questionOf, readable } from './drafts';

export interface Asked { question: Question; answer: Answer | Refused }

export default function Lookup() {
  const { t } = useWords();
  const { me } = useDesk();
  const route = useRoute();
  const [text, setText] = useState('');
  const [drafts, setDrafts] = useState<Draft[]>(() => [blank()]);
  const [cut, setCut] = useState(0);
  const [asked, setAsked] = useState<Asked[] | null>(null);
  const [open, setOpen] = useState(0);
  const [editing, setEditing] = useState(true);
  const reading = useAction();
  const asking = useAction();
  const results = useRef<HTMLDivElement>(null);

  const read = useCallback((pasted: string): void => void reading.run(async () => {
    if (!pasted.trim()) return;
    const found = await post<Read>('/lookup/read', { text: pasted, zone: ZONE });
    const lines = found.lines.filter((line) => line.question || line.problem);
    setCut(Math.max(0, lines.length - MOST));
    setDrafts(lines.length > 0 ? lines.slice(0, MOST).map((line) => draftOf(line, pasted.split(/\r?\n/)[line.line - 1])) : [blank()]);
    setAsked(null);
    setEditing(true);
  }), [reading.run]);

  // From the quick look-up in the bar, or what was read here before a reload.
  const handed = route.handed;
  useEffect(() => {
    if (!handed?.paste || handed.by !== me.id) return;
    setText(handed.paste);
    read(handed.paste);
  }, [handed, me.id, read]);
  const readHere = (): void => {
    keep({ by: me.id, paste: text });
    read(text);
  };

  const ask = (purpose: string, skew: string): void => void asking.run(async () => {
    const questions = drafts.map((draft) => questionOf(draft, skew));
    const got = await post<Answers>('/lookup', { questions, purpose });
    setAsked(questions.map((question, n) => ({ question, answer: got.answers[n] as Answer | Refused })));
    setOpen(0);
    setEditing(false);
    window.requestAnimationFrame(() => results.current?.focus());
  });

  const fresh = (): void => {
    keep(null);
    setAsked(null);
    setEditing(true);
    setText('');
    setDrafts([blank()]);
  };
  const shown = asked?.[open];
  return (
    <Page title={t('lookup.title')} purpose={t('lookup.purpose')}>
      {asked && !editing && (
        <div className="panel asked-bar">
          <span className="mono wrap grow">{asked.length === 1 ? `${asked[0]?.question.public} · ${readable(asked[0]?.question.at ?? '')}` : t('ask.titleMany', { n: asked.length })}</span>
          <Button onClick={() => setEditing(true)}>{t('lookup.edit')}</Button>
          <Button type="primary" onClick={fresh}>{t('lookup.new')}</Button>
        </div>
      )}
      <div className="lookup-in" hidden={asked !== null && !editing}>
        <Panel title={t('paste.title')}>
          <div className="stack tight">
            <Input.TextArea
              value={text} onChange={(event) => setText(event.target.value)} aria-label={t('paste.title')} placeholder={t('paste.placeholder')} className="mono"
              rows={4} maxLength={200_000}
              onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) readHere(); }}
            />
            <div className="row between">
              <span className="dim small">{t('paste.hint')}</span>
              <Button type={text.trim() ? 'primary' : 'default'} disabled={!text.trim()} loading={reading.busy} onClick={readHere}>{t('paste.read')}</Button>
            </div>
            {reading.problem && <Failed problem={reading.problem} />}
          </div>
        </Panel>
        <Ask drafts={drafts} setDrafts={setDrafts} cut={cut} busy={asking.busy} problem={asking.problem} onAsk={ask} />
      </div>
      <div ref={results} tabIndex={-1} className="stack" aria-live="polite" style={{ outline: 'none' }}>
        {asking.busy && <div className="panel"><div className="body"><Waiting lines={6} /></div></div>}
        {!asking.busy && asked && asked.length > 1 && <Results asked={asked} open={open} onOpen={setOpen} />}
        {!asking.busy && shown && (isRefused(shown.answer) ? <RefusedView refused={shown.answer} question={shown.question} /> : <AnswerView answer={shown.answer} />)}
        {!asking.busy && !asked && (
          <div className="panel">
            <Nothing title={t('lookup.empty')}>{t('lookup.empty.why')}</Nothing>
          </div>
        )}
        <Collapse ghost size="small" items={[{ key: 'what', label: t('lookup.words'), children: <Meanings /> }]} />
      </div>
    </Page>
  );
}

function Meanings() {
  const { t } = useWords();
  return (
    <dl className="pairs">
      {(['one', 'none', 'several', 'unknown'] as const).map((word) => (
        <div key={word} style={{ display: 'contents' }}>
          <dt>{t(`answer.${word}`)}</dt>
          <dd>{t(`answer.${word}.means`)}</dd>
        </div>
      ))}
    </dl>
  );
}
