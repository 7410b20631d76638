// The accounts, and what may be done with each.
import { Button, Dropdown, Input } from 'antd';
import { useMemo, useState } from 'react';
import { post } from '../../api/client';
import type { Account, Changed, Role } from '../../api/types';
import { useAction } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { ZONE_NAME, parse, show } from '../../lib/time';
import { Pill, Status, Time, type Tone } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Panel } from '../../ui/Page';
import { Reason } from '../../ui/Reason';
import { Nothing } from '../../ui/State';
import { RolePicker } from './RolePicker';
import { type Act, ROUTE, actsOf } from './acts';
import type { Outcome } from './outcome';

const TONES: Record<string, Tone> = { active: 'ok', invited: 'info', 'link-ended': 'warn', locked: 'err', disabled: 'idle' };
interface Props { rows: Account[]; roles: Role[]; onDone: (outcome: Outcome) => void }

export function Accounts({ rows, roles, onDone }: Props) {
  const { t, pick, code } = useWords();
  const { me, may } = useDesk();
  const [find, setFind] = useState('');
  const [at, setAt] = useState<{ account: Account; act: Act } | null>(null);
  const shown = useMemo(() => rows.filter((a) => `${a.login} ${a.display} ${a.roles.join(' ')}`.toLowerCase().includes(find.trim().toLowerCase())), [rows, find]);
  const roleName = (name: string): string => pick(roles.find((r) => r.name === name) ?? { zh: name, en: name });
  const persons = new Map<string, number>();
  for (const account of rows) persons.set(account.person, (persons.get(account.person) ?? 0) + 1);
  const cols: Col<Account>[] = [
    { key: 'name', title: t('account.name'), main: true, sort: (a, b) => a.display.localeCompare(b.display), render: (a) => <span className="wrap"><b>{a.display}</b>{a.id === me.id && <> <Pill tone="accent">{t('approval.me')}</Pill></>}<br /><span className="mono dim small">{a.login || t('account.noLogin')}</span></span> },
    { key: 'state', title: t('account.state'), beside: true, render: (a) => <><Status tone={TONES[a.state] ?? 'idle'}>{code('accountState', a.state)}</Status>{a.state === 'link-ended' && <div className="dim small wrap">{t('account.linkEnded')}</div>}{a.locked_until && <div className="dim small num">{t('account.lockedUntil', { at: show(parse(a.locked_until), 'clock') })}</div>}</> },
    { key: 'roles', title: t('account.roles'), render: (a) => <span className="row" style={{ gap: 4 }}>{a.roles.map((r) => <Pill key={r}>{roleName(r)}</Pill>)}</span> },
    { key: 'factor', title: t('account.factor'), render: (a) => (a.second_factor ? <Pill tone="ok">{t('account.factor.yes')}</Pill> : <Pill tone="warn">{t('account.factor.no')}</Pill>) },
    { key: 'person', title: t('account.person'), render: (a) => ((persons.get(a.person) ?? 0) > 1 ? <Pill tone="info">{t('account.samePerson', { n: persons.get(a.person) ?? 0 })}</Pill> : <span className="dim">{t('account.onePerson')}</span>) },
    { key: 'last', title: t('account.last'), render: (a) => <Time at={a.last_sign_in} detail="minute" /> },
    { key: 'since', title: t('col.since'), render: (a) => <Time at={a.since} detail="day" /> },
    {
      key: 'acts', title: '', acts: true,
      render: (a) => {
        const acts = actsOf(a, a.id === me.id, may);
        if (acts.length === 0) return <span />;
        return (
          <Dropdown trigger={['click']} menu={{ items: acts.map((act) => ({ key: act, label: t(`account.act.${act}`), danger: act === 'disable', onClick: () => setAt({ account: a, act }) })) }}>
            <Button size="small" aria-label={t('account.actsFor', { name: a.display })}>{t('account.acts')}</Button>
          </Dropdown>
        );
      },
    },
  ];
  return (
    <Panel title={t('users.count', { n: rows.length })} aside={<><Input.Search allowClear placeholder={t('users.find')} aria-label={t('users.find')} style={{ width: 200 }} onChange={(event) => setFind(event.target.value)} /><span className="dim small">{ZONE_NAME}</span></>} flush>
      <List rows={shown} cols={cols} id={(a) => a.id} label={t('users.accounts')} empty={<Nothing title={t('users.none')} />} />
      {at && <Change key={at.account.id + at.act} {...at} roles={roles} onClose={() => setAt(null)} onDone={(outcome) => { setAt(null); onDone(outcome); }} />}
    </Panel>
  );
}

function Change({ account, act, roles, onClose, onDone }: { account: Account; act: Act; roles: Role[]; onClose: () => void; onDone: (outcome: Outcome) => void }) {
  const { t } = useWords();
  const action = useAction();
  const [wanted, setWanted] = useState(account.roles);
  return (
    <Reason
      title={`${t(`account.act.${act}`)} · ${account.display}`} lead={t(`account.lead.${act}`)} ok={t(`account.act.${act}`)} danger={act === 'disable'}
      busy={action.busy} problem={action.problem} onClose={onClose}
      onOk={(reason) => void action.run(async () => {
        const changed = await post<Changed>(`/accounts/${account.id}/${ROUTE[act]}`, act === 'roles' ? { roles: wanted, reason } : { reason });
        onDone({ what: `${t(`account.act.${act}`)} · ${account.display}`, changed: changed ?? { state: 'done' } });
      })}
    >
      {act === 'roles' && <RolePicker roles={roles} value={wanted} onChange={setWanted} />}
    </Reason>
  );
}
