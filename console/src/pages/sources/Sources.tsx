// Who sends, how much, what is lost, whose clock is off; and how to point a device here.
import { Button, Input, Segmented, Tabs } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { get } from '../../api/client';
import type { Source } from '../../api/types';
import { useLoad } from '../../app/load';
import { go, useRoute } from '../../app/router';
import { useWords } from '../../i18n';
import { count, rate } from '../../lib/format';
import { ZONE_NAME } from '../../lib/time';
import { Pill, Spark, Status, Time, type Tone } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Page, Panel } from '../../ui/Page';
import { Failed, Nothing, Waiting } from '../../ui/State';
import { offset } from '../lookup/words';
import { Guides } from './Guides';
import { SourceDrawer } from './SourceDrawer';

export const SOURCE_TONE: Record<string, Tone> = { ok: 'ok', silent: 'warn', trouble: 'err' };
const ORDER = ['trouble', 'silent', 'ok'];

export default function Sources() {
  const { t } = useWords();
  const route = useRoute();
  const sources = useLoad<Source[]>((signal) => get('/sources', undefined, signal), ['sources'], 10_000);
  const guides = route.rest[0] === 'guides';
  const number = Number(route.rest[0]);
  const open = sources.data?.find((s) => s.number === number);
  return (
    <Page title={t('sources.title')} purpose={t('sources.purpose')}>
      <Tabs
        activeKey={guides ? 'guides' : 'list'} onChange={(key) => go(key === 'guides' ? 'sources/guides' : 'sources')}
        items={[
          {
            key: 'list', label: t('sources.list'),
            children: (
              <>
                {sources.problem && <Failed problem={sources.problem} retry={sources.reload} />}
                {!sources.data && !sources.problem && <Waiting lines={10} />}
                {sources.data && <Table rows={sources.data} first={route.params.get('show') === 'bad' ? 'bad' : 'all'} />}
              </>
            ),
          },
          { key: 'guides', label: t('sources.guides'), children: <Guides /> },
        ]}
      />
      {open && <SourceDrawer source={open} onClose={() => go('sources')} />}
    </Page>
  );
}

function Table({ rows, first }: { rows: Source[]; first: 'all' | 'bad' }) {
  const words = useWords();
  const { t, code, short } = words;
  const [find, setFind] = useState('');
  const [state, setState] = useState<string>(first);
  const bad = rows.filter((s) => s.state !== 'ok').length;
  const shown = useMemo(() => {
    const needle = find.trim().toLowerCase();
    return rows
      .filter((s) => (state === 'all' || s.state !== 'ok') && (!needle || `${s.name} ${s.kind} ${s.realm} ${s.peer} ${s.profile}`.toLowerCase().includes(needle)))
      .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.name.localeCompare(b.name));
  }, [rows, find, state]);
  useEffect(() => { if (bad === 0) setState('all'); }, [bad]);
  // From a notice, also while the page is open already.
  useEffect(() => { if (first === 'bad') setState('bad'); }, [first]);
  const cols: Col<Source>[] = [
    { key: 'name', title: t('col.source'), main: true, sort: (a, b) => a.name.localeCompare(b.name), render: (s) => <a href={`#/sources/${s.number}`} className="wrap">{s.name}</a> },
    { key: 'state', title: t('source.state'), beside: true, sort: (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state), render: (s) => <Status tone={SOURCE_TONE[s.state] ?? 'idle'}>{code('sourceState', s.state)}</Status> },
    { key: 'kind', title: t('source.kind'), render: (s) => <span className="nowrap"><Pill>{code('kind', s.kind)}</Pill> <span className="dim small">{s.realm}</span></span> },
    { key: 'rate', title: t('source.rate'), right: true, sort: (a, b) => a.rate - b.rate, render: (s) => <span className="num">{rate(s.rate)} /s</span> },
    { key: 'spark', title: t('source.spark'), render: (s) => <Spark points={s.spark} label={t('source.spark.label', { n: rate(s.rate), top: rate(Math.max(0, ...s.spark)) })} /> },
    { key: 'lost', title: t('source.lost'), right: true, sort: (a, b) => a.lost - b.lost, render: (s) => <span className={`num ${s.lost > 0 ? 'err' : 'dim'}`} title={count(s.lost)}>{short(s.lost)}</span> },
    { key: 'malformed', title: t('source.malformed'), right: true, sort: (a, b) => a.malformed + a.unrecognised - b.malformed - b.unrecognised, render: (s) => <span className={`num ${s.malformed + s.unrecognised > 0 ? 'warn' : 'dim'}`}>{short(s.malformed + s.unrecognised)}</span> },
    { key: 'offset', title: t('source.offset'), render: (s) => <span className={`nowrap ${Math.abs(s.offset_ms ?? 0) > 2000 ? 'warn' : ''}`}>{s.offset_ms === null || s.offset_ms === undefined ? '–' : offset(s.offset_ms, words)}</span> },
    { key: 'seen', title: t('source.seen'), sort: (a, b) => (a.last_seen ?? '').localeCompare(b.last_seen ?? ''), render: (s) => <Time at={s.last_seen} /> },
  ];
  return (
    <Panel
      title={t('sources.count', { n: rows.length })} flush
      aside={<>{bad > 0 && <Segmented value={state} onChange={setState} options={[{ value: 'all', label: t('sources.all') }, { value: 'bad', label: t('sources.bad', { n: bad }) }]} />}
        <Input.Search allowClear placeholder={t('sources.find')} aria-label={t('sources.find')} style={{ width: 200 }} onChange={(event) => setFind(event.target.value)} />
        <span className="dim small">{ZONE_NAME}</span></>}
    >
      <List
        rows={shown} cols={cols} id={(s) => String(s.number)} label={t('sources.list')} onOpen={(s) => go(`sources/${s.number}`)}
        empty={rows.length === 0 ? <Nothing title={t('sources.none')}><p>{t('sources.none.why')}</p><p style={{ marginTop: 10 }}><Button onClick={() => go('sources/guides')}>{t('sources.guides')}</Button></p></Nothing> : <Nothing title={t('sources.noneFound')} />}
      />
    </Panel>
  );
}
