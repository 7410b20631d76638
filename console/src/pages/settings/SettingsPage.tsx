// The configuration: each value, where it comes from, its default; and a change, from difference to done.
import { Button, Input, Segmented, Tooltip } from 'antd';
import { useMemo, useState } from 'react';
import { get } from '../../api/client';
import type { Checked, Difference, Setting, Settings } from '../../api/types';
import { useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { Pill, type Tone } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Page, Panel } from '../../ui/Page';
import { Failed, FieldFailed, Nothing, Waiting } from '../../ui/State';
import { ChangeBox } from './ChangeBox';

const ORIGIN: Record<string, Tone | 'accent'> = { file: 'info', desk: 'accent', set: 'warn' };
export type Drafts = Record<string, string | null>;

export default function SettingsPage() {
  const { t } = useWords();
  const { may } = useDesk();
  const settings = useLoad<Settings>((signal) => get('/settings', undefined, signal), ['settings']);
  const [drafts, setDrafts] = useState<Drafts>({});
  const [problems, setProblems] = useState<Checked['problems']>([]);
  const editing = may('settings.change');
  return (
    <Page title={t('settings.title')} purpose={editing ? t('settings.purpose') : t('settings.purposeRead')}>
      {settings.problem && <Failed problem={settings.problem} retry={settings.reload} />}
      {!settings.data && !settings.problem && <Waiting lines={12} />}
      {settings.data && settings.data.pending.length > 0 && (
        <Panel title={t('settings.pending', { n: settings.data.pending.length })} aside={<Pill tone="warn">{t('settings.nextStart')}</Pill>} flush>
          <Differences rows={settings.data.pending} />
        </Panel>
      )}
      {Object.keys(drafts).length > 0 && <ChangeBox drafts={drafts} setDrafts={setDrafts} onProblems={setProblems} onDone={() => { setDrafts({}); settings.reload(); }} />}
      {settings.data && <Values rows={settings.data.values} editing={editing} drafts={drafts} setDrafts={setDrafts} problems={Object.keys(drafts).length > 0 ? problems : []} />}
    </Page>
  );
}

export function Differences({ rows }: { rows: Difference[] }) {
  const { t } = useWords();
  const cols: Col<Difference>[] = [
    { key: 'path', title: t('settings.path'), main: true, render: (d) => <span className="mono wrap">{d.path}</span> },
    { key: 'old', title: t('settings.old'), render: (d) => <span className="mono wrap del">{d.old ?? t('settings.unset')}</span> },
    { key: 'new', title: t('settings.new'), render: (d) => <span className="mono wrap ins">{d.new ?? t('settings.takeBack')}</span> },
    { key: 'two', title: '', beside: true, render: (d) => (d.two_persons ? <Pill tone="warn">{t('settings.two')}</Pill> : null) },
  ];
  return <List rows={rows} cols={cols} id={(d) => d.path} label={t('settings.difference')} />;
}

function Values({ rows, editing, drafts, setDrafts, problems }: { rows: Setting[]; editing: boolean; drafts: Drafts; setDrafts: (next: Drafts) => void; problems: Checked['problems'] }) {
  const { t, code, pick } = useWords();
  const [find, setFind] = useState('');
  const [which, setWhich] = useState('all');
  const [open, setOpen] = useState<string | null>(null);
  const shown = useMemo(() => {
    const needle = find.trim().toLowerCase();
    return rows.filter((s) => (which === 'all' || s.origin !== 'default') && (!needle || `${s.path} ${s.value} ${s.shape.en} ${s.shape.zh}`.toLowerCase().includes(needle)));
  }, [rows, find, which]);
  const groups = useMemo(() => {
    const out = new Map<string, Setting[]>();
    for (const s of shown) {
      const parts = s.path.split('.');
      const group = parts.length > 2 ? parts.slice(0, 2).join('.') : (parts[0] ?? '');
      out.set(group, [...(out.get(group) ?? []), s]);
    }
    return [...out];
  }, [shown]);
  const take = (path: string, value: string | null): void => {
    setDrafts({ ...drafts, [path]: value });
    setOpen(null);
  };
  const cols: Col<Setting>[] = [
    { key: 'path', title: t('settings.path'), main: true, width: '25%', render: (s) => <Tooltip title={pick(s.shape) || undefined}><span className="mono wrap" tabIndex={pick(s.shape) ? 0 : undefined}>{s.path}</span></Tooltip> },
    {
      key: 'value', title: t('settings.value'), width: '27%',
      render: (s) => (open === s.path ? <Edit setting={s} first={drafts[s.path] ?? s.value} faults={problems.filter((p) => p.path === s.path)} onTake={take} onClose={() => setOpen(null)} /> : (
        <span className="mono wrap cell">{s.path in drafts ? <><span className="del">{s.value}</span> <span className="ins">{drafts[s.path] ?? t('settings.takeBack')}</span>{problems.filter((p) => p.path === s.path).map((p) => <div key={p.text.en}><FieldFailed text={pick(p.text)} /></div>)}</> : s.value}</span>
      )),
    },
    { key: 'default', title: t('settings.default'), width: '18%', render: (s) => (s.value === s.default ? <span className="dim">{t('settings.same')}</span> : <span className="mono wrap dim cell">{s.default || '–'}</span>) },
    { key: 'origin', title: t('settings.origin'), beside: true, width: '13%', render: (s) => <Pill tone={ORIGIN[s.origin]}>{code('origin', s.origin)}</Pill> },
    {
      key: 'edit', title: '', acts: true,
      render: (s) => (editing && s.editable && open !== s.path ? <span className="row" style={{ gap: '2px 6px' }}><Button size="small" onClick={() => setOpen(s.path)} aria-label={t('settings.changeOf', { path: s.path })}>{t('settings.change')}</Button>{s.two_persons && <Pill tone="warn">{t('settings.two')}</Pill>}</span> : editing && !s.editable ? <span className="dim small">{t('settings.fileOnly')}</span> : null),
    },
  ];
  return (
    <>
      <div className="row">
        <Input.Search allowClear placeholder={t('settings.find')} aria-label={t('settings.find')} style={{ maxWidth: 320 }} onChange={(event) => setFind(event.target.value)} />
        <Segmented value={which} onChange={setWhich} options={[{ value: 'all', label: t('settings.all', { n: rows.length }) }, { value: 'own', label: t('settings.own', { n: rows.filter((s) => s.origin !== 'default').length }) }]} />
      </div>
      {groups.length === 0 && <div className="panel"><Nothing title={t('settings.none')} /></div>}
      {groups.map(([group, values]) => (
        <Panel key={group} title={group} flush>
          <List rows={values} cols={cols} id={(s) => s.path} label={group} pageSize={1000} fixed />
        </Panel>
      ))}
    </>
  );
}

function Edit({ setting, first, faults, onTake, onClose }: { setting: Setting; first: string; faults: Checked['problems']; onTake: (path: string, value: string | null) => void; onClose: () => void }) {
  const { t, pick } = useWords();
  const [value, setValue] = useState(first);
  return (
    <form className="stack tight" onSubmit={(event) => { event.preventDefault(); onTake(setting.path, value); }} onKeyDown={(event) => { if (event.key === 'Escape') onClose(); }}>
      {/^a whole number/.test(setting.shape.en) ? <Input inputMode="numeric" className="mono" value={value} onChange={(event) => setValue(event.target.value)} aria-label={setting.path} autoFocus /> : <Input.TextArea rows={1} className="mono" value={value} onChange={(event) => setValue(event.target.value)} aria-label={setting.path} autoFocus />}
      {value === first && faults.map((p) => <FieldFailed key={p.text.en} text={pick(p.text)} />)}
      {pick(setting.shape) && <span className="dim small">{pick(setting.shape)}</span>}
      <div className="row">
        <Button size="small" type="primary" htmlType="submit" disabled={value === setting.value}>{t('settings.take')}</Button>
        {setting.origin === 'desk' && <Button size="small" onClick={() => onTake(setting.path, null)}>{t('settings.takeBack')}</Button>}
        <Button size="small" onClick={onClose}>{t('do.cancel')}</Button>
      </div>
    </form>
  );
}
