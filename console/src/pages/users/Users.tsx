// Who may use the desk, and what each role may do.
import { Tabs } from 'antd';
import { useState } from 'react';
import { get } from '../../api/client';
import type { Account, Role } from '../../api/types';
import { useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { LinkOnce } from '../../ui/LinkOnce';
import { Page } from '../../ui/Page';
import { Failed, Waiting } from '../../ui/State';
import { Accounts } from './Accounts';
import { Invite } from './Invite';
import { Roles } from './Roles';
import type { Outcome } from './outcome';

export default function Users() {
  const { t, code, pick } = useWords();
  const { may } = useDesk();
  const accounts = useLoad<Account[]>((signal) => get('/accounts', undefined, signal), ['accounts']);
  const roles = useLoad<Role[]>((signal) => get('/roles', undefined, signal), ['roles']);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const done = (next: Outcome): void => {
    if (next.changed.link) setLink(next.changed.link);
    setOutcome(next);
    accounts.reload();
  };
  const problem = accounts.problem ?? roles.problem;
  return (
    <Page title={t('users.title')} purpose={t('users.purpose')} actions={may('accounts.change') && roles.data ? <Invite roles={roles.data} accounts={accounts.data ?? []} onDone={done} /> : null}>
      {outcome && !link && (
        <p className={`note ${outcome.changed.state === 'waits' ? 'warn' : 'ok'}`} role="status">
          <b>{outcome.what}</b> {code('changed', outcome.changed.state)}{' '}
          {outcome.changed.remark && <>{pick(outcome.changed.remark)}{' '}</>}
          {outcome.changed.approval && <a href={`#/approvals/${outcome.changed.approval}?show=mine`}>{t('users.seeApproval')}</a>}
        </p>
      )}
      {problem && <Failed problem={problem} retry={() => { accounts.reload(); roles.reload(); }} />}
      {(!accounts.data || !roles.data) && !problem && <Waiting lines={8} />}
      {accounts.data && roles.data && (
        <Tabs
          items={[
            { key: 'accounts', label: t('users.accounts'), children: <Accounts rows={accounts.data} roles={roles.data} onDone={done} /> },
            { key: 'roles', label: t('users.roles'), children: <Roles roles={roles.data} /> },
          ]}
        />
      )}
      {link && <LinkOnce link={link} onClose={() => setLink(null)} />}
    </Page>
  );
}
