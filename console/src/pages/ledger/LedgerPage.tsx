// Who asked what of whose data, and why: for the audit administrator.
import { Button, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { get, post } from '../../api/client';
import type { Account, Ledger, LedgerEntry, Opened } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { count } from '../../lib/format';
import { ZONE_NAME, moment, parse, rfc3339 } from '../../lib/time';
import { Copy, Id, Pairs, Pill, Time, type Tone } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Page, Panel } from '../../ui/Page';
import { Reason } from '../../ui/Reason';
import { Failed, FieldFailed, Nothing, Waiting } from '../../ui/State';

const ACTS = ['lookup', 'lookup-batch', 'records', 'sql', 'export', 'key-show', 'text', 'ledger-read', 'ledger-open', 'settings-change'];
const TONES: Record<string, Tone> = { one: 'ok', none: 'idle', several: 'warn', unknown: 'warn', refused: 'err', failed: 'err', cancelled: 'warn', 'too-long': 'err', 'too-large': 'err' };
const FAULT = 'ledger-fault';
interface Filter { actor: string; act: string; from: string; to: string }

export default function LedgerPage() {
  const { t, code } = useWords();
  const { may } = useDesk();
  const [filter, setFilter] = useState<Filter>({ actor: '', act: '', from: '', to: '' });
  const [draft, setDraft] = useState(filter);
  const [older, setOlder] = useState<Ledger | null>(null);
  const [opening, setOpening] = useState<LedgerEntry | null>(null);
  const [opened, setOpened] = useState<{ entry: LedgerEntry; target: string } | null>(null);
  const query = (to?: string) => ({ from: moment(filter.from), to: to ?? moment(filter.to), actor: filter.actor || null, act: filter.act || null, limit: 200 });
  const ledger = useLoad<Ledger>((signal) => get('/ledger', query(), signal), ['ledger', filter]);
  const accounts = useLoad<Account[]>(may('accounts.read') ? (signal) => get('/accounts', undefined, signal) : null, ['ledger-accounts']);
  const next = useAction();
  const open = useAction();
  const rows = [...(ledger.data?.entries ?? []), ...(older?.entries ?? [])];
  const more = older?.more ?? ledger.data?.more ?? false;
  const goOn = (): void => void next.run(async () => {
    const last = rows[rows.length - 1];
    if (!last) return;
    const got = await get<Ledger>('/ledger', query(rfc3339(parse(last.time) - 1)));
    setOlder((old) => ({ entries: [...(old?.entries ?? []), ...got.entries], more: got.more }));
  });
  const wrongTime = (text: string): boolean => text.trim() !== '' && moment(text) === null;
  const [from, to] = [moment(draft.from), moment(draft.to)];
  const reversed = from !== null && to !== null && parse(from) > parse(to);
  const fault = reversed ? t('range.reversed') : wrongTime(draft.from) || wrongTime(draft.to) ? t('range.wrong') : '';
  const cols: Col<LedgerEntry>[] = [
    { key: 'time', title: t('col.time'), main: true, render: (e) => <Time at={e.time} detail="ms" /> },
    { key: 'who', title: t('ledger.who'), render: (e) => <span className="wrap">{e.display ?? <span className="mono" title={e.actor}>{e.actor.length > 20 ? `${e.actor.slice(0, 16)}…` : e.actor}</span>}{e.actor.startsWith('token:') && <> <Pill>{t('ledger.token')}</Pill></>}</span> },
    { key: 'act', title: t('ledger.act'), beside: true, render: (e) => code('act', e.act) },
    { key: 'purpose', title: t('ledger.purpose'), render: (e) => <span className="wrap">{code('purpose', e.purpose)}</span> },
    { key: 'answer', title: t('ledger.answer'), render: (e) => <Pill tone={TONES[e.answer]}>{code('answerShort', e.answer)}</Pill> },
    { key: 'rows', title: t('ledger.rows'), right: true, render: (e) => <span className="num">{count(e.rows)}</span> },
    { key: 'offline', title: t('ledger.where'), render: (e) => (e.offline ? <Pill tone="warn">{t('ledger.offline')}</Pill> : <span className="dim">{t('ledger.online')}</span>) },
    ...(may('ledger.open') ? [{ key: 'open', title: '', acts: true, render: (e: LedgerEntry) => <Button size="small" onClick={() => { open.clear(); setOpening(e); }}>{t('ledger.open')}</Button> }] : []),
  ];
  return (
    <Page title={t('ledger.title')} purpose={t('ledger.purposeOf')}>
      <form className="panel" onSubmit={(event) => { event.preventDefault(); setOlder(null); setFilter(draft); }}>
        <div className="body filters">
          <div className="field" style={{ flex: '1 1 180px', maxWidth: 240 }}>
            <span className="name">{t('ledger.who')}</span>
            <Select aria-label={t('ledger.who')} value={draft.actor} onChange={(actor: string) => setDraft({ ...draft, actor })} showSearch={{ optionFilterProp: 'label' }} options={[{ value: '', label: t('ledger.anybody') }, ...(accounts.data ?? []).map((a) => ({ value: `account:${a.id}`, label: a.display }))]} />
          </div>
          <div className="field" style={{ flex: '1 1 150px', maxWidth: 200 }}>
            <span className="name">{t('ledger.act')}</span>
            <Select aria-label={t('ledger.act')} value={draft.act} onChange={(act: string) => setDraft({ ...draft, act })} options={[{ value: '', label: t('ledger.anyAct') }, ...ACTS.map((act) => ({ value: act, label: code('act', act) }))]} />
          </div>
          {(['from', 'to'] as const).map((side) => (
            <label key={side} style={{ flex: '1 1 170px', maxWidth: 200 }}>
              <span className="name">{t(`col.${side}`)} ({ZONE_NAME})</span>
              <Input className="mono" value={draft[side]} placeholder="2026-11-22 10:00" status={wrongTime(draft[side]) || reversed ? 'error' : ''} aria-invalid={wrongTime(draft[side]) || reversed} aria-describedby={fault ? FAULT : undefined} onChange={(event) => setDraft({ ...draft, [side]: event.target.value })} allowClear />
            </label>
          ))}
          <Button type="primary" htmlType="submit" disabled={fault !== ''}>{t('do.filter')}</Button>
          {fault && <div className="fault" id={FAULT}><FieldFailed text={fault} /></div>}
        </div>
      </form>
      {ledger.problem && <Failed problem={ledger.problem} retry={ledger.reload} />}
      {!ledger.data && !ledger.problem && <Waiting lines={10} />}
      {ledger.data && (
        <Panel title={t('ledger.entries')} aside={<span className="dim small">{t('ledger.self')}</span>} flush>
          <List rows={rows} cols={cols} id={(e) => e.id} label={t('ledger.entries')} pageSize={100} empty={<Nothing title={t('ledger.none')}>{t('ledger.none.why')}</Nothing>} />
          {more && <div className="row" style={{ padding: '10px 14px' }}><Button loading={next.busy} onClick={goOn}>{t('records.older')}</Button></div>}
          {next.problem && <div style={{ padding: 14 }}><Failed problem={next.problem} retry={goOn} /></div>}
        </Panel>
      )}
      {opening && (
        <Reason
          title={t('ledger.openTitle')} lead={t('ledger.openLead')} ok={t('ledger.open')} busy={open.busy} problem={open.problem} onClose={() => setOpening(null)}
          onOk={(reason) => void open.run(async () => {
            const got = await post<Opened>(`/ledger/${opening.id}/open`, { reason });
            setOpened({ entry: opening, target: got.target });
            setOpening(null);
          })}
        />
      )}
      {opened && (
        <Modal open title={t('ledger.opened')} onCancel={() => setOpened(null)} footer={<Button type="primary" onClick={() => setOpened(null)}>{t('do.close')}</Button>} width={640}>
          <div className="stack">
            <Pairs of={[[t('col.time'), <Time key="t" at={opened.entry.time} detail="ms" />], [t('ledger.who'), opened.entry.display ?? opened.entry.actor], [t('ledger.act'), code('act', opened.entry.act)], [t('ledger.id'), <Id key="i" id={opened.entry.id} whole />]]} />
            <pre className="code wrap" tabIndex={0} aria-label={t('ledger.opened')}>{opened.target}</pre>
            <div><Copy text={opened.target} /></div>
          </div>
        </Modal>
      )}
    </Page>
  );
}
