// What needs two persons: waiting for me, asked by me, everything.
import { Alert, Button, InputNumber, Select, Segmented } from 'antd';
import { useState } from 'react';
import { get, post } from '../../api/client';
import type { Approval, Changed, Role } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { go, useRoute } from '../../app/router';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { ZONE_NAME } from '../../lib/time';
import { Pill, Time, type Tone } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Page, Panel } from '../../ui/Page';
import { Reason } from '../../ui/Reason';
import { Failed, Nothing, Waiting } from '../../ui/State';
import { ApprovalDrawer } from './ApprovalDrawer';

export const APPROVAL_TONE: Record<string, Tone> = { waiting: 'warn', confirmed: 'info', used: 'ok', refused: 'err', withdrawn: 'idle', expired: 'idle', void: 'err' };
type Show = 'forMe' | 'mine' | 'all';

export default function Approvals() {
  const { t, code } = useWords();
  const { me, may, reload: reloadMe } = useDesk();
  const route = useRoute();
  const approvals = useLoad<Approval[]>((signal) => get('/approvals', undefined, signal), ['approvals'], 15_000);
  const asked = route.params.get('show');
  const confirms = may('approvals.confirm');
  const show: Show = asked === 'all' || asked === 'mine' || asked === 'forMe' ? asked : confirms ? 'forMe' : 'mine';
  const rows = (approvals.data ?? []).filter((a) => (show === 'forMe' ? a.state === 'waiting' && a.may_confirm : show === 'mine' ? a.asked_by === me.id : true));
  const open = approvals.data?.find((a) => a.id === route.rest[0]);
  const waiting = (approvals.data ?? []).filter((a) => a.state === 'waiting' && a.may_confirm).length;
  const changed = (): void => {
    approvals.reload();
    void reloadMe();
  };
  const cols: Col<Approval>[] = [
    { key: 'kind', title: t('approval.kind'), main: true, render: (a) => <a href={`#/approvals/${a.id}?show=${show}`}>{code('approvalKind', a.kind)}</a> },
    { key: 'state', title: t('approval.state'), beside: true, render: (a) => <Pill tone={APPROVAL_TONE[a.state]}>{code('approvalState', a.state)}</Pill> },
    { key: 'by', title: t('approval.by'), render: (a) => <span className="wrap">{a.asked_by_display}{a.asked_by === me.id && <> <Pill tone="accent">{t('approval.me')}</Pill></>}</span> },
    { key: 'reason', title: t('reason.short'), render: (a) => <span className="wrap cell">{a.reason}</span> },
    { key: 'steps', title: t('approval.confirmed'), render: (a) => <span className="num">{a.steps.filter((s) => s.what === 'confirmed').length} / {a.needed}</span> },
    { key: 'at', title: t('approval.at'), render: (a) => <Time at={a.asked_at} detail="minute" /> },
    { key: 'expires', title: t('approval.expires'), render: (a) => <Time at={a.expires} detail="minute" /> },
    { key: 'open', title: '', acts: true, render: (a) => <Button size="small" type={a.state === 'waiting' && a.may_confirm ? 'primary' : 'default'} onClick={() => go(`approvals/${a.id}?show=${show}`)}>{a.state === 'waiting' && a.may_confirm ? t('approval.review') : t('do.open')}</Button> },
  ];
  const shows: { value: Show; label: string }[] = [
    ...(confirms ? [{ value: 'forMe' as const, label: t('approval.forMe', { n: waiting }) }] : []),
    { value: 'mine', label: t('approval.mine') },
    ...(may('approvals.read') ? [{ value: 'all' as const, label: t('approval.all') }] : []),
  ];
  return (
    <Page title={t('approval.title')} purpose={t('approval.purpose')} actions={may('break-glass.ask') ? <BreakGlass onDone={changed} /> : null}>
      {approvals.problem && <Failed problem={approvals.problem} retry={approvals.reload} />}
      {!approvals.data && !approvals.problem && <Waiting lines={8} />}
      {approvals.data && (
        <Panel title={t('approval.list')} aside={<><Segmented value={show} onChange={(value) => go(`approvals?show=${value}`)} options={shows} aria-label={t('approval.which')} /><span className="dim small">{ZONE_NAME}</span></>} flush>
          <List rows={rows} cols={cols} id={(a) => a.id} label={t('approval.list')} onOpen={(a) => go(`approvals/${a.id}?show=${show}`)} empty={<Nothing title={t(`approval.none.${show}`)}>{t('approval.none.why')}</Nothing>} />
        </Panel>
      )}
      {open && <ApprovalDrawer approval={open} onClose={() => go(`approvals?show=${show}`)} onChanged={changed} />}
    </Page>
  );
}

/** Asks for a role for an hour at most; two others must confirm. */
function BreakGlass({ onDone }: { onDone: () => void }) {
  const { t, pick } = useWords();
  const { me } = useDesk();
  const [open, setOpen] = useState(false);
  const [role, setRole] = useState<string>('');
  const [minutes, setMinutes] = useState(30);
  const [said, setSaid] = useState(false);
  const action = useAction();
  const roles = useLoad<Role[]>(open ? (signal) => get('/roles', undefined, signal) : null, ['glass-roles']);
  return (
    <>
      <Button danger onClick={() => { action.clear(); setSaid(false); setOpen(true); }}>{t('glass.ask')}</Button>
      {said && <Alert type="success" showIcon title={t('glass.asked')} />}
      {open && (
        <Reason
          title={t('glass.ask')} lead={t('glass.lead')} ok={t('glass.go')} danger busy={action.busy} problem={action.problem} onClose={() => setOpen(false)}
          onOk={(reason) => void action.run(async () => {
            await post<Changed>('/break-glass', { role, minutes, reason });
            setOpen(false);
            setSaid(true);
            onDone();
          })}
        >
          <div className="filters">
            <div className="field" style={{ flex: 1 }}>
              <span className="name">{t('glass.role')}</span>
              <Select aria-label={t('glass.role')} value={role || undefined} onChange={setRole} loading={roles.busy} options={(roles.data ?? []).filter((r) => !me.roles.includes(r.name)).map((r) => ({ value: r.name, label: pick(r) }))} />
            </div>
            <label>
              <span className="name">{t('glass.minutes')}</span>
              <InputNumber min={1} max={60} value={minutes} onChange={(n) => setMinutes(n ?? 30)} />
            </label>
          </div>
        </Reason>
      )}
    </>
  );
}
