// Is everything all right? Notices first, then figures, rates and losses, measures, gaps.
import { Button, Segmented } from 'antd';
import { useCallback, useState } from 'react';
import { get, post } from '../../api/client';
import { early } from '../../api/early';
import type { GapState, Overview as Data, MeasureState, Series } from '../../api/types';
import { toneOf } from '../../app/Bar';
import { useAction, useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { bytes, count, rate } from '../../lib/format';
import { ZONE_NAME, parse, show } from '../../lib/time';
import { Pill, Status, Time, type Tone } from '../../ui/Bits';
import { Chart } from '../../ui/Chart';
import { type Col, List } from '../../ui/List';
import { Page, Panel } from '../../ui/Page';
import { Failed, Nothing, Waiting } from '../../ui/State';

export default function Overview() {
  const { t } = useWords();
  const { overview, may, session } = useDesk();
  const { data, problem, reload } = overview;
  return (
    <Page title={t('overview.title')} purpose={t('overview.purpose')} actions={may('seal.now') ? <Seal onDone={reload} /> : null}>
      {session.unit.demo && !may('lookup.ask') && may('accounts.change') && (
        <p className="note">{t('overview.demoNext')} <a href="#/users">{t('overview.demoGo')}</a></p>
      )}
      {problem && <Failed problem={problem} retry={reload} />}
      {!data && !problem && <Waiting lines={10} />}
      {data && <Verdict data={data} stale={problem !== null} />}
      {data && <Figures data={data} />}
      <Rates />
      {data && (
        <div className="cols far">
          <Panel title={t('overview.measures')} flush><Measures rows={data.measures} /></Panel>
          <Panel title={t('overview.gaps')} aside={<span className="dim small">{ZONE_NAME}</span>} flush><Gaps rows={data.gaps} /></Panel>
        </div>
      )}
    </Page>
  );
}

function Seal({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const action = useAction();
  return (
    <div className="stack tight">
      <Button loading={action.busy} title={t('seal.why')} onClick={() => void action.run(async () => { await post('/seal', {}); onDone(); })}>{t('seal.now')}</Button>
      {action.problem && <Failed problem={action.problem} />}
    </div>
  );
}

const LEVEL: Record<string, Tone> = { error: 'err', warning: 'warn', info: 'info' };
/** Where something can be done about it, for who may go there. */
const WHERE: [RegExp, string, string][] = [
  [/^source-/, 'sources?show=bad', 'sources.read'], [/^(settings-pending|certificate-|provider-)/, 'settings', 'settings.read'],
  [/^(setup-open|few-approvers)$/, 'users', 'accounts.read'], [/^mass-read$/, 'ledger', 'ledger.read'], [/^break-glass$/, 'approvals?show=all', 'self'],
];

function Verdict({ data, stale }: { data: Data; stale: boolean }) {
  const { t, code, pick } = useWords();
  const { may } = useDesk();
  const tone = toneOf(data);
  const where = (notice: string): string | undefined => WHERE.find(([of, , needs]) => of.test(notice) && may(needs))?.[1];
  return (
    <section className="panel" aria-live="polite">
      <div className="verdict">
        <Status tone={tone}>{t(`state.${tone as 'ok' | 'warn' | 'err'}.long`)}</Status>
        <span className="dim num">{t('overview.asOf', { at: show(parse(data.now)), zone: ZONE_NAME })}{stale ? ` · ${t('overview.stale')}` : ''}</span>
      </div>
      {data.notices.length > 0 && (
        <ul className="notices">
          {data.notices.map((n) => <NoticeLine key={`${n.code}${n.text.en}`} notice={n} title={code('notice', n.code, pick(n.text))} text={pick(n.text)} to={where(n.code)} />)}
        </ul>
      )}
    </section>
  );
}

function NoticeLine({ notice, title, text, to }: { notice: Data['notices'][number]; title: string; text: string; to: string | undefined }) {
  const { code } = useWords();
  return (
    <li>
      <Status tone={LEVEL[notice.level] ?? 'info'}>{code('level', notice.level)}</Status>
      <span className="grow">
        {to ? <a href={`#/${to}`}><b>{title}</b></a> : <b>{title}</b>}
        {text && title !== text && <span className="wrap"> {text}</span>}
      </span>
      {notice.since && <span className="dim"><Time at={notice.since} detail="minute" /></span>}
    </li>
  );
}

function Figures({ data }: { data: Data }) {
  const { t, span, short } = useWords();
  const s = data.store;
  const sealed = s.last_sealed ? parse(data.now) - parse(s.last_sealed) : null;
  return (
    <dl className="figures">
      <div><dt>{t('fig.running')}</dt><dd>{span(Math.max(0, Math.floor((parse(data.now) - parse(data.since)) / 1000) * 1000))}<small><Time at={data.since} detail="minute" /></small></dd></div>
      <div><dt>{t('fig.sealed')}</dt><dd>{sealed === null ? '–' : t('fig.ago', { n: span(Math.max(0, Math.round(sealed / 1000) * 1000)) })}<small>{t('fig.waiting', { n: count(s.waiting_rows) })}</small></dd></div>
      <div><dt>{t('fig.log')}</dt><dd title={count(s.log_size)}>{short(s.log_size)}<small>{t('fig.log.small')}</small></dd></div>
      <div><dt>{t('fig.mappings')}</dt><dd title={count(s.open_mappings)}>{short(s.open_mappings)}<small>{t('fig.open')}</small></dd></div>
      <div><dt>{t('fig.sessions')}</dt><dd title={count(s.open_sessions)}>{short(s.open_sessions)}<small>{t('fig.open')}</small></dd></div>
      <div><dt>{t('fig.free')}</dt><dd className={s.full ? 'err' : ''}>{bytes(s.free_bytes)}<small>{t('fig.wal', { n: bytes(s.wal_bytes) })}</small></dd></div>
    </dl>
  );
}

function Rates() {
  const { t, code, span } = useWords();
  const [minutes, setMinutes] = useState(60);
  const series = useLoad<Series>((signal) => early(`/overview/series?minutes=${minutes}`, () => get('/overview/series', { minutes }, signal)), ['series', minutes], 10_000);
  const time = useCallback((at: string) => show(parse(at), 'clock').slice(0, minutes <= 15 ? 8 : 5), [minutes]);
  const range = (
    <Segmented
      value={minutes} onChange={setMinutes} aria-label={t('chart.range')}
      options={[{ value: 15, label: t('range.15m') }, { value: 60, label: t('range.1h') }, { value: 360, label: t('range.6h') }, { value: 1440, label: t('range.24h') }]}
    />
  );
  const data = series.data;
  const sum = (pick: 'lost' | 'malformed'): number[] => (data?.times ?? []).map((_, n) => data?.lines.reduce((all, line) => all + (line[pick][n] ?? 0), 0) ?? 0);
  const lost = sum('lost').reduce((a, b) => a + b, 0);
  const malformed = sum('malformed').reduce((a, b) => a + b, 0);
  const none = <div className="chart-none"><Nothing title={t('overview.noSeries')}>{t('overview.noSeries.why')}</Nothing></div>;
  return (
    <div className="cols">
      <Panel title={t('overview.rates')} aside={range}>
        {series.problem && <Failed problem={series.problem} retry={series.reload} />}
        {!data && !series.problem && <Waiting lines={7} />}
        {data && (data.lines.length === 0
          ? none
          : <Chart label={t('overview.rates')} unit={t('unit.perSecond')} times={data.times} kind="line" format={rate} time={time} lines={data.lines.map((line) => ({ name: code('kind', line.kind), points: line.records }))} />)}
      </Panel>
      <Panel title={t('overview.loss')} aside={data && <><Pill tone={lost > 0 ? 'err' : 'ok'}>{t('overview.lostSum', { n: count(lost) })}</Pill><Pill tone={malformed > 0 ? 'warn' : undefined}>{t('overview.malformedSum', { n: count(malformed) })}</Pill></>}>
        {!data && !series.problem && <Waiting lines={7} />}
        {data && data.lines.length === 0 && none}
        {data && data.lines.length > 0 && lost + malformed === 0 && <div className="chart-none"><Nothing title={t('overview.noLoss')}>{t('overview.noLoss.why')}</Nothing></div>}
        {data && lost + malformed > 0 && <Chart label={t('overview.loss')} unit={t('unit.perStep', { n: span(data.step_seconds * 1000) })} times={data.times} kind="bar" format={count} time={time} lines={[{ name: t('chart.lost'), points: sum('lost'), colour: 4 }, { name: t('chart.malformed'), points: sum('malformed'), colour: 2 }]} />}
      </Panel>
    </div>
  );
}

const MEASURE: Record<string, Tone> = { running: 'ok', degraded: 'warn', stopped: 'err' };

function Measures({ rows }: { rows: MeasureState[] }) {
  const { t, pick, code } = useWords();
  const cols: Col<MeasureState>[] = [
    { key: 'name', title: t('measure.name'), main: true, render: (m) => pick(m) },
    {
      key: 'state', title: t('measure.state'), beside: true,
      render: (m) => <Status tone={MEASURE[m.state] ?? 'idle'}>{code('measureState', m.state)}</Status>,
    },
    { key: 'why', title: t('measure.why'), render: (m) => <span className="wrap">{m.why && pick(m.why) && <>{pick(m.why)}<br /></>}<span className="dim small">{t('col.since')} <Time at={m.since} detail="minute" /></span></span> },
    { key: 'clauses', title: t('measure.clauses'), render: (m) => (m.clauses.length === 0 ? <span className="dim">–</span> : <span className="nowrap" style={{ display: 'inline-flex', gap: 4 }}>{m.clauses.map((c) => <span key={c.id} title={pick(c)}><Pill>{c.id}</Pill></span>)}</span>) },
  ];
  return <List rows={rows} cols={cols} id={(m) => m.name} label={t('overview.measures')} empty={<Nothing title={t('measure.none')}>{t('measure.none.why')}</Nothing>} />;
}

function Gaps({ rows }: { rows: GapState[] }) {
  const { t, code, span } = useWords();
  const cols: Col<GapState>[] = [
    { key: 'name', title: t('col.source'), main: true, render: (g) => <a href={`#/sources/${g.source}`}>{g.name}</a> },
    { key: 'count', title: t('gap.count'), right: true, beside: true, render: (g) => <span className="num err">{g.count === null || g.count === undefined ? t('gap.unknown') : count(g.count)}</span> },
    { key: 'from', title: t('col.from'), render: (g) => <Time at={g.from} detail="second" /> },
    { key: 'length', title: t('gap.length'), render: (g) => <span className="num">{span(parse(g.to) - parse(g.from))}</span> },
    { key: 'reason', title: t('gap.reason'), render: (g) => code('gapReason', g.reason) },
  ];
  return <List rows={rows} cols={cols} id={(g) => `${g.source} ${g.from} ${g.reason}`} label={t('overview.gaps')} pageSize={10} empty={<Nothing title={t('gap.none')}>{t('gap.none.why')}</Nothing>} />;
}
