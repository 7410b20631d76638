// Records of one kind in a stretch of time, newest first.
import { DownloadOutlined } from '@ant-design/icons';
import { Button, Checkbox, DatePicker, Input, Select } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useMemo, useState } from 'react';
import { post } from '../../api/client';
import type { KindShape, Records, Source } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { keep, useRoute } from '../../app/router';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { count } from '../../lib/format';
import { ZONE, ZONE_NAME, parse, rfc3339, show } from '../../lib/time';
import { Copy, Said, plain } from '../../ui/Bits';
import { List } from '../../ui/List';
import { Panel } from '../../ui/Page';
import { Failed, FieldFailed, FieldProblem, Nothing, Waiting } from '../../ui/State';
import { ExportDialog } from './ExportDialog';
import { LineDialog } from './OpenLine';
import { type Row, blank, columnsOf } from './cells';
import { type Line, written } from './line';

interface Asked { kind: string; from: string; to: string; source: number | null; words: string; unrecognised: boolean; turn: number }

/** The picker shows wall clocks; ours is the unit's, whatever the browser's zone. */
const wall = (at: number): Dayjs => dayjs(show(at, 'ms').replace(' ', 'T'));
const instant = (d: Dayjs): string => `${d.format('YYYY-MM-DDTHH:mm:ss.SSS')}${ZONE}`;
const LIMIT = 200;
const FAULT = 'records-fault';

export function Browse({ kinds, sources }: { kinds: KindShape[]; sources: Source[] }) {
  const { t, code, pick } = useWords();
  const { me, may } = useDesk();
  const { handed } = useRoute();
  // What was filled in before a reload; reading it again is for the person to say, because each look is in the ledger.
  const [filled] = useState(() => (handed?.by === me.id && kinds.some((k) => k.name === handed.filter?.kind) ? handed.filter : undefined));
  const [kind, setKind] = useState(filled?.kind ?? kinds[0]?.name ?? '');
  const [range, setRange] = useState<[Dayjs, Dayjs]>(() => (filled ? [wall(parse(filled.from)), wall(parse(filled.to))] : [wall(Date.now() - 3_600_000), wall(Date.now() + 60_000)]));
  const [source, setSource] = useState<number | null>(filled?.source ?? null);
  const [words, setWords] = useState(filled?.words ?? '');
  const [unrecognised, setUnrecognised] = useState(filled?.unrecognised ?? false);
  const [exporting, setExporting] = useState(false);
  // Never exchanged in silence: what is shown must be what was asked.
  const reversed = range[0].isAfter(range[1]);
  const shape = kinds.find((k) => k.name === kind);
  const now = (): Asked => ({ kind, from: instant(range[0]), to: instant(range[1]), source, words: shape?.searchable ? words.trim() : '', unrecognised: shape?.searchable === true && unrecognised, turn: 0 });
  const [asked, setAsked] = useState<Asked | null>(null);
  const [older, setOlder] = useState<Records['rows']>([]);
  const [olderMore, setOlderMore] = useState<boolean | null>(null);
  const first = useLoad<Records>(asked ? (signal) => post('/records/search', query(asked, asked.to), signal) : null, [asked]);
  const next = useAction();
  const ofRange = ['from', 'to'].includes(first.problem?.field ?? '');

  const names = first.data?.columns ?? [];
  const rows = useMemo<Row[]>(() => [...(first.data?.rows ?? []), ...older].map((row, _n) => ({ ...row, _n })), [first.data, older]);
  const more = olderMore ?? first.data?.more ?? false;
  const [all, setAll] = useState(false);
  const [line, setLine] = useState<Line | null>(null);
  // What no row has would only push aside what they have.
  const blanks = useMemo(() => (rows.length > 0 ? names.filter((name) => rows.every((row) => blank(row[name]))) : []), [names, rows]);
  const cols = useMemo(
    () => columnsOf(all ? names : names.filter((name) => !blanks.includes(name)), kinds.find((k) => k.name === asked?.kind)?.columns ?? [], sources, (id, time) => <LineCell line={{ id, time }} onOpen={setLine} />),
    [names, all, blanks, kinds, asked, sources],
  );

  const ask = (): void => {
    setOlder([]);
    setOlderMore(null);
    const { turn: _, ...filter } = now();
    keep({ by: me.id, filter });
    setAsked((old) => ({ ...now(), turn: (old?.turn ?? 0) + 1 }));
  };
  const goOn = (): void => void next.run(async () => {
    if (!asked) return;
    const times = rows.map((row) => parse(String(row.time ?? row.start ?? ''))).filter(Number.isFinite);
    const before = rfc3339(Math.min(...times) - 1);
    const got = await post<Records>('/records/search', query(asked, before));
    setOlder((old) => [...old, ...got.rows]);
    setOlderMore(got.more);
  });
  const preset = (label: string, ms: number): { label: string; value: () => [Dayjs, Dayjs] } => ({ label, value: () => [wall(Date.now() - ms), wall(Date.now() + 60_000)] });

  if (kinds.length === 0) return <Nothing title={t('records.noKinds')}>{t('records.noKinds.why')}</Nothing>;
  return (
    <div className="stack">
      <form className="panel" onSubmit={(event) => { event.preventDefault(); ask(); }}>
        <div className="body filters">
          <div className="field" style={{ flex: '1 1 240px', maxWidth: 320 }}>
            <span className="name">{t('records.kind')}</span>
            <Select aria-label={t('records.kind')} value={kind} onChange={setKind} options={kinds.map((k) => ({ value: k.name, label: code('record', k.name), title: plain(pick(k.doc)) }))} />
          </div>
          <div className="field" style={{ flex: '2 1 330px', maxWidth: 400 }}>
            <span className="name">{t('records.range', { zone: ZONE_NAME })}</span>
            <DatePicker.RangePicker
              order={false} status={ofRange || reversed ? 'error' : undefined}
              aria-label={t('records.range', { zone: ZONE_NAME })} aria-invalid={ofRange || reversed} aria-describedby={ofRange || reversed ? FAULT : undefined} showTime={{ format: 'HH:mm:ss' }} format="YYYY-MM-DD HH:mm:ss" value={range} allowClear={false}
              onChange={(value) => { if (value?.[0] && value[1]) setRange([value[0], value[1]]); }}
              presets={[preset(t('range.last15m'), 900_000), preset(t('range.last1h'), 3_600_000), preset(t('range.last24h'), 86_400_000), preset(t('range.last7d'), 604_800_000)]}
            />
          </div>
          {sources.length > 0 && (
            <div className="field" style={{ flex: '1 1 160px', maxWidth: 220 }}>
              <span className="name">{t('col.source')}</span>
              <Select<number | null> aria-label={t('col.source')} value={source} onChange={setSource} options={[{ value: null, label: t('records.anySource') }, ...sources.map((s) => ({ value: s.number, label: s.name }))]} showSearch={{ optionFilterProp: 'label' }} />
            </div>
          )}
          {shape?.searchable && (
            <label style={{ flex: '1 1 200px', maxWidth: 300 }}>
              <span className="name">{t('records.words')}</span>
              <Input value={words} onChange={(event) => setWords(event.target.value)} placeholder={t('records.words.hint')} allowClear />
            </label>
          )}
          {shape?.searchable && <Checkbox checked={unrecognised} onChange={(event) => setUnrecognised(event.target.checked)}>{t('records.unrecognised')}</Checkbox>}
          <Button type="primary" htmlType="submit" loading={first.busy} disabled={reversed}>{t('records.show')}</Button>
          {may('records.export') && <Button icon={<DownloadOutlined />} disabled={reversed} onClick={() => setExporting(true)}>{t('export.open')}</Button>}
          {reversed && <div className="fault" id={FAULT}><FieldFailed text={t('range.exchange')} /></div>}
          {ofRange && !reversed && first.problem && <div className="fault" id={FAULT}><FieldProblem problem={first.problem} /></div>}
        </div>
        {shape && pick(shape.doc) && <p className="dim small wrap" style={{ padding: '0 14px 10px' }}><Said>{pick(shape.doc)}</Said></p>}
      </form>
      {first.problem && !ofRange && <Failed problem={first.problem} retry={ask} />}
      {!asked && <div className="panel"><Nothing title={t('records.start')}>{t('records.start.why')}</Nothing></div>}
      {asked && first.busy && !first.data && <div className="panel"><div className="body"><Waiting lines={10} /></div></div>}
      {first.data && (
        <Panel title={code('record', asked?.kind ?? '')} aside={<>{blanks.length > 0 && <Button size="small" type="link" title={t('records.blank.show', { names: blanks.join(', ') })} onClick={() => setAll(!all)} aria-pressed={all}>{all ? t('records.blank.hide') : t('records.blank', { n: blanks.length })}</Button>}<span className="dim num">{t('records.rows', { n: count(rows.length) })} · {ZONE_NAME}</span></>} free>
          <List rows={rows} cols={cols} id={(r) => String(r._n)} label={code('record', asked?.kind ?? '')} pageSize={100} scrollX empty={<Nothing title={t('records.none')}>{t('records.none.why')}</Nothing>} />
          {rows.length > 0 && (
            <div className="row" style={{ padding: '10px 14px' }}>
              {more ? <Button onClick={goOn} loading={next.busy}>{t('records.older')}</Button> : <span className="dim">{t('records.end')}</span>}
            </div>
          )}
          {next.problem && <div style={{ padding: 14 }}><Failed problem={next.problem} retry={goOn} /></div>}
        </Panel>
      )}
      {line && <LineDialog line={line} onClose={() => setLine(null)} />}
      {exporting && <ExportDialog {...now()} onClose={() => setExporting(false)} />}
    </div>
  );
}

/** Opens the line for who may; everybody else copies what those need. */
function LineCell({ line, onOpen }: { line: Line; onOpen: (line: Line) => void }) {
  const { t } = useWords();
  const { may } = useDesk();
  if (may('text.open')) return <Button size="small" onClick={() => onOpen(line)} aria-label={t('raw.openOf', { at: show(parse(line.time), 'ms') })}>{t('raw.open')}</Button>;
  return <Copy text={written(line)} label={t('raw.hand')} hint={t('raw.handOver')} />;
}

function query(asked: Asked, to: string): Record<string, string | number | boolean | null> {
  return { kind: asked.kind, from: asked.from, to, source: asked.source, match: asked.words || null, unrecognised: asked.unrecognised || null, limit: LIMIT };
}
