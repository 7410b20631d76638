// The questions, to be checked and put right before they are asked, and the purpose they are asked for.
import { CloseOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input, Radio, Select, Tooltip } from 'antd';
import { useState } from 'react';
import type { Problem } from '../../api/types';
import { useWords } from '../../i18n';
import { ZONE_NAME, duration, moment } from '../../lib/time';
import { Pill } from '../../ui/Bits';
import { Panel } from '../../ui/Page';
import { Failed } from '../../ui/State';
import { type Draft, type Fault, MOST, blank, faults } from './drafts';

interface Props {
  drafts: Draft[];
  setDrafts: (next: Draft[]) => void;
  cut: number;
  busy: boolean;
  problem: Problem | null;
  onAsk: (purpose: string, skew: string) => void;
}

const PURPOSES = ['operate', 'security-event', 'drill'] as const;
// Kept while the page lives, never stored: the purpose of yesterday is not that of today.
let lastPurpose = '';

export function Ask({ drafts, setDrafts, cut, busy, problem, onAsk }: Props) {
  const { t } = useWords();
  const [purpose, setPurpose] = useState(lastPurpose);
  const [skew, setSkew] = useState('2s');
  const [tried, setTried] = useState(false);
  const bad = drafts.filter((draft) => faults(draft).length > 0);
  const skewOk = duration(skew) !== null;
  const change = (key: number, part: Partial<Draft>): void => setDrafts(drafts.map((draft) => (draft.key === key ? { ...draft, problem: null, ...part } : draft)));
  const drop = (key: number): void => setDrafts(drafts.length > 1 ? drafts.filter((draft) => draft.key !== key) : [blank()]);
  const go = (): void => {
    setTried(true);
    if (bad.length === 0 && purpose && skewOk) onAsk(purpose, skew);
  };
  const one = drafts.length === 1 ? drafts[0] : undefined;
  return (
    <Panel title={drafts.length > 1 ? t('ask.titleMany', { n: drafts.length }) : t('ask.title')} aside={<span className="dim small">{t('ask.zone', { zone: ZONE_NAME })}</span>}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); go(); }}>
        {one ? <OneForm draft={one} tried={tried} change={change} /> : (
          <ol className="drafts" tabIndex={0} aria-label={t('ask.titleMany', { n: drafts.length })}>
            {drafts.map((draft) => <DraftRow key={draft.key} draft={draft} change={change} drop={drop} />)}
          </ol>
        )}
        {cut > 0 && <p className="note warn">{t('ask.cut', { n: cut, most: MOST })}</p>}
        <div className="row between">
          <Button size="small" icon={<PlusOutlined />} disabled={drafts.length >= MOST} onClick={() => setDrafts([...drafts, blank()])}>{t('ask.add')}</Button>
          {drafts.length > 1 && bad.length > 0 && <span className="row"><span className="warn">{t('ask.bad', { n: bad.length })}</span><Button size="small" onClick={() => setDrafts(drafts.filter((d) => faults(d).length === 0).concat(bad.length === drafts.length ? [blank()] : []))}>{t('ask.dropBad')}</Button></span>}
        </div>
        <div className="filters">
          <fieldset className="field bare">
            <legend className="name">{t('ask.purpose')}</legend>
            <Radio.Group value={purpose} onChange={(event) => { lastPurpose = String(event.target.value); setPurpose(lastPurpose); }}>
              {PURPOSES.map((p) => <Radio.Button key={p} value={p}>{t(`purpose.${p}`)}</Radio.Button>)}
            </Radio.Group>
          </fieldset>
          <label style={{ maxWidth: 110 }}>
            <span className="name">{t('ask.skew')}</span>
            <Input value={skew} onChange={(event) => setSkew(event.target.value)} status={skewOk ? '' : 'error'} className="mono" />
          </label>
          <Button type="primary" htmlType="submit" loading={busy} disabled={drafts.length > 1 && bad.length > 0} style={{ minWidth: 96 }}>{drafts.length > 1 ? t('ask.goMany', { n: drafts.length }) : t('ask.go')}</Button>
        </div>
        {tried && !purpose && <p className="err small" role="alert">{t('ask.purpose.rule')}</p>}
        {!skewOk && <p className="err small">{t('ask.skew.rule')}</p>}
        <p className="dim small">{t('ask.ledger')}</p>
        {problem && <Failed problem={problem} />}
      </form>
    </Panel>
  );
}

type Change = (key: number, part: Partial<Draft>) => void;

function Understood({ draft }: { draft: Draft }) {
  const words = useWords();
  const { t, code, pick } = words;
  if (draft.line === null) return null;
  return (
    <div className="stack tight">
      {draft.form && <span className="row" style={{ gap: 6 }}><span className="dim small">{t('read.as')}</span><Pill tone="accent">{code('form', draft.form)}</Pill>{draft.skew && <Pill tone="warn">± {draft.skew}</Pill>}</span>}
      {draft.assumed.map((what) => <span key={what.en} className="warn small wrap">{t('read.assumed', { what: pick(what) })}</span>)}
      {draft.problem && <p className="note err small">{pick(draft.problem)}</p>}
    </div>
  );
}

function OneForm({ draft, tried, change }: { draft: Draft; tried: boolean; change: Change }) {
  const { t } = useWords();
  const wrong = faults(draft);
  const shown = (fault: Fault, filled: string): boolean => wrong.includes(fault) && (tried || filled.trim().length > 3);
  return (
    <>
      <Understood draft={draft} />
      <div className="one-form">
        <label className="wide">
          <span className="name">{t('ask.public')}</span>
          <Input size="large" className="mono" value={draft.public} placeholder="203.0.113.7:40123" status={shown('public', draft.public) ? 'error' : ''} onChange={(event) => change(draft.key, { public: event.target.value })} spellCheck={false} />
          <span className="hint err small">{shown('public', draft.public) && t('ask.public.rule')}</span>
        </label>
        <label className="wide">
          <span className="name">{t('ask.at')}</span>
          <Input size="large" className="mono" value={draft.at} placeholder="2026-11-22 10:00:00.123" status={shown('at', draft.at) ? 'error' : ''} onChange={(event) => change(draft.key, { at: event.target.value })} spellCheck={false} />
          {shown('at', draft.at) ? <span className="hint err small">{t('ask.at.rule')}</span> : <span className="hint dim small mono">{moment(draft.at)}</span>}
        </label>
        <label>
          <span className="name">{t('ask.protocol')}</span>
          <Protocol draft={draft} change={change} />
        </label>
        <label>
          <span className="name">{t('ask.remote')}</span>
          <Input className="mono" value={draft.remote} placeholder="198.51.100.9:443" status={wrong.includes('remote') ? 'error' : ''} onChange={(event) => change(draft.key, { remote: event.target.value })} spellCheck={false} />
        </label>
      </div>
    </>
  );
}

function Protocol({ draft, change, small }: { draft: Draft; change: Change; small?: boolean }) {
  const { t } = useWords();
  const known = ['', 'tcp', 'udp', 'icmp'];
  const options = (known.includes(draft.protocol) ? known : [...known, draft.protocol]).map((p) => ({ value: p, label: p ? p.toUpperCase() : t('ask.anyProtocol') }));
  return <Select size={small ? 'small' : undefined} value={draft.protocol} aria-label={t('ask.protocol')} options={options} onChange={(protocol: string) => change(draft.key, { protocol })} style={{ width: '100%' }} />;
}

function DraftRow({ draft, change, drop }: { draft: Draft; change: Change; drop: (key: number) => void }) {
  const words = useWords();
  const { t, code, pick } = words;
  const wrong = faults(draft);
  const note = [draft.form ? code('form', draft.form) : '', ...draft.assumed.map((a) => t('read.assumed', { what: pick(a) })), draft.problem ? pick(draft.problem) : '', draft.skew ? `± ${draft.skew}` : ''].filter(Boolean).join(' · ');
  return (
    <li>
      <span className="dim num small">{draft.line ?? '–'}</span>
      <Input size="small" className="mono" aria-label={t('ask.public')} value={draft.public} status={wrong.includes('public') ? 'error' : ''} onChange={(event) => change(draft.key, { public: event.target.value })} />
      <Input size="small" className="mono" aria-label={t('ask.at')} value={draft.at} status={wrong.includes('at') ? 'error' : ''} onChange={(event) => change(draft.key, { at: event.target.value })} />
      <Protocol draft={draft} change={change} small />
      <Tooltip title={t('ask.drop')}><Button size="small" type="text" icon={<CloseOutlined />} aria-label={t('ask.drop')} onClick={() => drop(draft.key)} /></Tooltip>
      {note && <span className={`small wrap drafts-note ${draft.problem ? 'err' : 'dim'}`}>{note}</span>}
    </li>
  );
}
