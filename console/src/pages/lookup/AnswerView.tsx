// One answer: the verdict, the chain one can follow, the time line, and what it rests on.
import type { Answer, Candidate, Refused } from '../../api/answer';
import type { Question } from '../../api/types';
import { useWords } from '../../i18n';
import { count, end } from '../../lib/format';
import { ZONE_NAME, parse } from '../../lib/time';
import { Copy, Id, Pill, Status, Time } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Panel } from '../../ui/Page';
import { TimeLine } from './TimeLine';
import { TONE, certain, offset, textOf, why } from './words';

export function RefusedView({ refused, question }: { refused: Refused; question: Question }) {
  const { t, pick } = useWords();
  return (
    <div className="failed" role="alert">
      <div className="grow">
        <h3>{t('answer.refused')}</h3>
        <p className="mono">{question.public} {question.at}</p>
        <p>{pick(refused.error.what)}</p>
        <p className="dim">{pick(refused.error.todo)}</p>
      </div>
    </div>
  );
}

export function AnswerView({ answer }: { answer: Answer }) {
  const words = useWords();
  const { t, has, code } = words;
  const tone = TONE[answer.answer];
  return (
    <>
      <section className={`verdict-box ${tone}`} aria-label={t('answer.title')}>
        <div className="row between top">
          <div className="grow">
            <div className="big"><Status tone={tone}>{t(`answer.${answer.answer}`)}</Status></div>
            <p className="why">{why(answer, words)}</p>
            {has('todo', answer.code) && <p className="todo">{code('todo', answer.code)}</p>}
          </div>
          <div className="row no-print">
            <Copy text={textOf(answer, words)} label={t('copy.text')} />
            <Copy text={JSON.stringify(answer, null, 2)} label={t('copy.json')} />
          </div>
        </div>
        <p className="asked mono wrap">
          {end(answer.asked.public, answer.asked.port)}{answer.asked.protocol ? ` ${answer.asked.protocol}` : ''}{answer.asked.remote ? ` → ${answer.asked.remote}` : ''} · <Time at={answer.asked.at} detail="ms" /> {ZONE_NAME} · ± {answer.skew}
        </p>
      </section>
      {answer.answer !== 'one' && answer.candidates.length > 0 && <p className="note warn">{t('answer.mayNot')}</p>}
      {answer.candidates.map((candidate, n) => <Chain key={n} answer={answer} candidate={candidate} n={n} />)}
      {answer.candidates_left > 0 && <p className="note">{t('chain.left', { n: count(answer.candidates_left) })}</p>}
      {(answer.candidates.length > 0 || answer.gaps.length > 0) && <TimeLine answer={answer} />}
      <div className="cols">
        <Panel title={t('clocks.title')} flush><Clocks answer={answer} /></Panel>
        <Panel title={t('lost.title')} flush><Lost answer={answer} /></Panel>
      </div>
    </>
  );
}

function Sure({ yes }: { yes: boolean }) {
  const { t } = useWords();
  return <Pill tone={yes ? 'ok' : 'warn'}>{t(yes ? 'chain.certain' : 'chain.uncertain')}</Pill>;
}

/** Public end → mapping → inside end → session → subscriber. */
function Chain({ answer, candidate, n }: { answer: Answer; candidate: Candidate; n: number }) {
  const { t, code } = useWords();
  const { mapping, session, subscriber, inside } = candidate;
  const title = answer.candidates.length > 1 ? t('chain.candidate', { n: n + 1 }) : t('chain.title');
  return (
    <Panel title={title} aside={<><span className="dim">{t('chain.realm')} {candidate.realm}</span><Sure yes={certain(candidate) && answer.answer === 'one'} /></>}>
      <ol className="chain">
        <li>
          <h3>{t('chain.public')}</h3>
          <p className="mono big wrap">{end(answer.asked.public, answer.asked.port)}</p>
          <p className="dim">{answer.asked.protocol?.toUpperCase() ?? t('ask.anyProtocol')}</p>
        </li>
        <li className={mapping && !mapping.certain ? 'doubt' : ''}>
          <h3>{t('chain.mapping')}</h3>
          {mapping ? (
            <>
              <p className="wrap"><b>{mapping.source}</b> <Pill>{code('mapping', mapping.kind)}</Pill></p>
              <Between start={mapping.start} end={mapping.end} />
              <Sure yes={mapping.certain} />
            </>
          ) : <p className="dim">{t('chain.noMapping')}</p>}
        </li>
        <li>
          <h3>{t('chain.inside')}</h3>
          <p className="mono big wrap">{end(inside.address, inside.port)}</p>
        </li>
        <li className={!session || !session.certain ? 'doubt' : ''}>
          <h3>{t('chain.session')}</h3>
          {session ? (
            <>
              <p className="wrap"><b className="mono">{session.id}</b> <span className="dim">@ {session.nas}</span></p>
              <Between start={session.start} end={session.end} />
              <span className="row" style={{ gap: 4 }}><Sure yes={session.certain} />{session.inferred && <Pill tone="warn">{t('chain.inferred')}</Pill>}</span>
            </>
          ) : <p className="dim">{t('chain.noSession')}</p>}
        </li>
        <li className={!subscriber ? 'doubt' : answer.answer === 'one' ? 'last' : ''}>
          <h3>{t('chain.subscriber')}</h3>
          {subscriber ? <Id id={subscriber} whole /> : <p className="dim">{t('chain.noSubscriber')}</p>}
          {subscriber && <p className="dim small">{t('chain.opaque')}</p>}
        </li>
      </ol>
    </Panel>
  );
}

function Between({ start, end: to }: { start: string | null; end: string | null }) {
  const { t, span } = useWords();
  return (
    <p className="small dim">
      {start ? <Time at={start} detail="ms" /> : t('chain.notSeen')} –<br />
      {to ? <Time at={to} detail="ms" /> : t('chain.open')}
      {start && to && <><br /><span className="num">{span(parse(to) - parse(start))}</span></>}
    </p>
  );
}

function Clocks({ answer }: { answer: Answer }) {
  const words = useWords();
  const { t, code } = words;
  type Row = Answer['clocks'][number];
  const cols: Col<Row>[] = [
    { key: 'source', title: t('col.source'), main: true, render: (c) => c.source },
    { key: 'offset', title: t('clock.offset'), render: (c) => <span className={c.degraded ? 'warn' : ''}>{offset(c.offset_ms, words)}</span> },
    { key: 'tolerance', title: t('clock.tolerance'), render: (c) => <span className="num">± {c.tolerance}</span> },
    { key: 'basis', title: t('clock.basis'), render: (c) => <>{code('basis', c.basis)}{c.degraded && <> <Pill tone="warn">{t('clock.degraded')}</Pill></>}</> },
    { key: 'at', title: t('clock.itsTime'), render: (c) => <Time at={c.asked_at} detail="ms" /> },
  ];
  return <List rows={answer.clocks} cols={cols} id={(c) => c.source} label={t('clocks.title')} empty={<p className="empty">{t('clocks.none')}</p>} />;
}

function Lost({ answer }: { answer: Answer }) {
  const { t, span } = useWords();
  type Row = Answer['gaps'][number];
  const cols: Col<Row>[] = [
    { key: 'source', title: t('col.source'), main: true, render: (g) => g.source },
    { key: 'lost', title: t('gap.count'), beside: true, right: true, render: (g) => <span className="num err">{g.lost === null ? t('gap.unknown') : count(g.lost)}</span> },
    { key: 'start', title: t('col.from'), render: (g) => <Time at={g.start} detail="ms" /> },
    { key: 'length', title: t('gap.length'), render: (g) => <span className="num">{span(parse(g.end) - parse(g.start))}</span> },
    { key: 'kind', title: t('gap.kind'), render: (g) => (g.id ? t('gap.lost') : t('gap.unread')) },
  ];
  return (
    <>
      <List rows={answer.gaps} cols={cols} id={(g) => `${g.source}${g.start}${g.id ?? ''}`} label={t('lost.title')} empty={<p className="empty">{t('lost.none')}</p>} />
      {answer.gaps_left > 0 && <p className="empty">{t('lost.left', { n: count(answer.gaps_left) })}</p>}
    </>
  );
}
