// One SELECT over the masking views.
import { Button, Collapse, Input } from 'antd';
import { useMemo, useState } from 'react';
import { post } from '../../api/client';
import type { KindShape, Table } from '../../api/types';
import { useAction } from '../../app/load';
import { useWords } from '../../i18n';
import { count } from '../../lib/format';
import { Copy } from '../../ui/Bits';
import { List } from '../../ui/List';
import { Panel } from '../../ui/Page';
import { Failed, Nothing, Waiting } from '../../ui/State';
import { type Row, columnsOf } from './cells';

const EXAMPLES = [
  'SELECT source, count(*) AS rows, min(start), max(start) FROM nat_mapping GROUP BY source ORDER BY rows DESC LIMIT 20',
  "SELECT date_trunc('hour', time) AS hour, reason, count(*) AS gaps FROM gap GROUP BY hour, reason ORDER BY hour DESC LIMIT 48",
  'SELECT realm, status, count(*) AS events FROM radius_session GROUP BY realm, status ORDER BY events DESC',
];

export function Sql({ kinds }: { kinds: KindShape[] }) {
  const { t } = useWords();
  const [text, setText] = useState(EXAMPLES[0] ?? '');
  const [table, setTable] = useState<Table | null>(null);
  const action = useAction();
  const run = (): void => void action.run(async () => setTable(await post<Table>('/sql', { statement: text })));
  const rows = useMemo<Row[]>(() => (table?.rows ?? []).map((row, _n) => ({ ...row, _n })), [table]);
  const all = useMemo(() => kinds.flatMap((k) => k.columns), [kinds]);
  const cols = useMemo(() => columnsOf(table?.columns ?? [], all), [table, all]);
  return (
    <div className="stack">
      <Panel title={t('sql.title')}>
        <div className="stack tight">
          <Input.TextArea
            aria-label={t('sql.title')} className="mono" value={text} onChange={(event) => setText(event.target.value)} rows={4} spellCheck={false}
            onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run(); }}
          />
          <div className="row between">
            <span className="dim small">{t('sql.note')}</span>
            <Button type="primary" loading={action.busy} disabled={!text.trim()} onClick={run}>{t('sql.run')}</Button>
          </div>
          <Collapse
            ghost size="small"
            items={[
              { key: 'x', label: t('sql.examples'), children: <ul className="stack tight">{EXAMPLES.map((x) => <li key={x}><button type="button" className="linklike mono small wrap" onClick={() => setText(x)}>{x}</button></li>)}</ul> },
              { key: 'v', label: t('sql.views'), children: <dl className="pairs">{kinds.map((k) => <div key={k.name} style={{ display: 'contents' }}><dt className="mono">{k.name}</dt><dd className="mono small">{k.columns.map((c) => c.name).join(', ')}</dd></div>)}</dl> },
            ]}
          />
        </div>
      </Panel>
      {action.problem && <Failed problem={action.problem} />}
      {action.busy && <div className="panel"><div className="body"><Waiting lines={6} /></div></div>}
      {table && !action.busy && (
        <Panel title={t('sql.result')} aside={<><span className="dim num">{t('records.rows', { n: count(rows.length) })}</span><Copy text={tsv(table)} label={t('sql.copy')} /></>} free>
          {table.cut && <p className="note warn" style={{ margin: 14 }}>{t('sql.cut')}</p>}
          <List rows={rows} cols={cols} id={(r) => String(r._n)} label={t('sql.result')} pageSize={100} scrollX empty={<Nothing title={t('sql.none')} />} />
        </Panel>
      )}
    </div>
  );
}

function tsv(table: Table): string {
  const cell = (value: unknown): string => (value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(/[\t\r\n]+/g, ' ');
  return [table.columns.join('\t'), ...table.rows.map((row) => table.columns.map((c) => cell(row[c])).join('\t'))].join('\n');
}
