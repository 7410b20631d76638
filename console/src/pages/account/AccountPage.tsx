// My own account: how I sign in, where I am signed in, and my tokens.
import { Button, Form, Input, Modal, Popconfirm } from 'antd';
import { useState } from 'react';
import { get, pathOf, post, remove } from '../../api/client';
import type { Factors, OpenSession, Passkey, Role } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { useRoute } from '../../app/router';
import { useDesk } from '../../app/session';
import { possible } from '../../api/passkey';
import { useWords } from '../../i18n';
import { ZONE_NAME } from '../../lib/time';
import { Pairs, Pill, Time } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Page, Panel } from '../../ui/Page';
import { Failed, Waiting } from '../../ui/State';
import { PasskeyEnrol, TotpEnrol } from '../outside/Enrol';
import { Tokens } from './Tokens';

export default function AccountPage() {
  const { t, pick, code } = useWords();
  const { me } = useDesk();
  const route = useRoute();
  const roles = useLoad<Role[]>((signal) => get('/roles', undefined, signal), ['my-roles']);
  return (
    <Page title={t('me.title')} purpose={t('me.purpose')}>
      {route.page === 'problem' && <Failed problem={{ type: `urn:weir:problem:${route.rest[0] ?? ''}`, title: '', status: 0, detail: '', todo: '' }} />}
      <Panel title={me.display}>
        <Pairs
          of={[
            [t('signin.login'), <span key="l" className="mono">{me.login}</span>],
            [t('account.roles'), <span key="r" className="row" style={{ gap: 4 }}>{me.roles.map((r) => <Pill key={r} tone="accent">{pick(roles.data?.find((x) => x.name === r) ?? { zh: code('role', r), en: code('role', r) })}</Pill>)}</span>],
            [t('me.may'), <span key="m" className="row" style={{ gap: 4 }}>{me.may.map((c) => <span key={c} title={c}><Pill>{code('may', c)}</Pill></span>)}</span>],
          ]}
        />
      </Panel>
      <div className="cols">
        <Signing />
        <Password />
      </div>
      <Sessions />
      <Tokens />
    </Page>
  );
}

function Signing() {
  const { t } = useWords();
  const { session } = useDesk();
  const factors = useLoad<Factors>((signal) => get('/me/factors', undefined, signal), ['factors']);
  const action = useAction();
  const [adding, setAdding] = useState<'passkey' | 'totp' | null>(null);
  const drop = (path: string): void => void action.run(async () => { await remove(path); factors.reload(); });
  const done = (): void => { setAdding(null); factors.reload(); };
  const cols: Col<Passkey>[] = [
    { key: 'name', title: t('me.passkey'), main: true, render: (p) => <span className="wrap">{p.name}</span> },
    { key: 'since', title: t('col.since'), render: (p) => <Time at={p.since} detail="day" /> },
    { key: 'used', title: t('me.used'), render: (p) => <Time at={p.used} detail="minute" /> },
    { key: 'drop', title: '', acts: true, render: (p) => <Drop title={t('me.passkey.drop')} onOk={() => drop(`/me/passkeys/${encodeURIComponent(p.id)}`)} label={t('me.dropOf', { name: p.name })} /> },
  ];
  return (
    <Panel title={t('me.signing')} flush>
      {factors.problem && <div className="body"><Failed problem={factors.problem} retry={factors.reload} /></div>}
      {!factors.data && !factors.problem && <div className="body"><Waiting /></div>}
      {action.problem && <div style={{ padding: 14 }}><Failed problem={action.problem} /></div>}
      {factors.data && (
        <>
          <List rows={factors.data.passkeys} cols={cols} id={(p) => p.id} label={t('me.passkey')} empty={<p className="empty">{t('me.noPasskey')}</p>} />
          <div className="stack" style={{ padding: 14 }}>
            <div className="row between">
              <span>{t('me.totp')} {factors.data.totp ? <Pill tone="ok">{t('me.on')}</Pill> : <Pill>{t('me.off')}</Pill>}</span>
              {factors.data.totp ? <Drop title={t('me.totp.drop')} onOk={() => drop('/me/totp')} label={t('me.dropOf', { name: t('me.totp') })} /> : <Button size="small" onClick={() => setAdding('totp')}>{t('enrol.totp.start')}</Button>}
            </div>
            {possible() && <div><Button onClick={() => setAdding('passkey')}>{t('me.addPasskey')}</Button></div>}
            {session.providers.filter((p) => !factors.data?.providers.includes(p.name)).map((p) => <div key={p.name}><Button href={pathOf(`/me/oidc/${encodeURIComponent(p.name)}/link`)}>{t('me.link', { name: p.title })}</Button></div>)}
            {factors.data.providers.length > 0 && factors.data.providers.map((name) => <div key={name} className="row between"><span>{t('me.linked', { names: session.providers.find((p) => p.name === name)?.title ?? name })}</span><Drop title={t('me.unlink')} onOk={() => drop(`/me/oidc/${encodeURIComponent(name)}`)} label={t('me.dropOf', { name })} /></div>)}
          </div>
        </>
      )}
      <Modal open={adding !== null} title={adding === 'totp' ? t('enrol.totp') : t('enrol.passkey')} onCancel={() => setAdding(null)} footer={null} destroyOnHidden>
        {adding === 'totp' && <TotpEnrol onDone={done} onBack={() => setAdding(null)} />}
        {adding === 'passkey' && <div className="stack"><p>{t('enrol.passkey.why')}</p><PasskeyEnrol onDone={done} /></div>}
      </Modal>
    </Panel>
  );
}

export function Drop({ title, onOk, label, words }: { title: string; onOk: () => void; label: string; words?: string }) {
  const { t } = useWords();
  return (
    <Popconfirm title={title} onConfirm={onOk} okText={words ?? t('do.remove')} cancelText={t('do.cancel')} okButtonProps={{ danger: true }}>
      <Button size="small" danger aria-label={label}>{words ?? t('do.remove')}</Button>
    </Popconfirm>
  );
}

function Password() {
  const { t } = useWords();
  const action = useAction();
  const { reload } = useDesk();
  const [done, setDone] = useState(false);
  const [form] = Form.useForm<{ old: string; new: string; again: string }>();
  const change = (values: { old: string; new: string }): void => void action.run(async () => {
    await post('/me/password', { old: values.old, new: values.new });
    form.resetFields();
    setDone(true);
    await reload();
  });
  return (
    <Panel title={t('me.password')}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={change} onValuesChange={() => setDone(false)}>
        <Form.Item name="old" label={t('me.password.old')} rules={[{ required: true, message: t('signin.password.rule') }]}><Input.Password autoComplete="current-password" maxLength={512} /></Form.Item>
        <Form.Item name="new" label={t('me.password.new')} extra={t('welcome.password.extra')} rules={[{ required: true, min: 12, message: t('welcome.password.rule') }]}><Input.Password autoComplete="new-password" maxLength={512} /></Form.Item>
        <Form.Item
          name="again" label={t('welcome.again')} dependencies={['new']}
          rules={[{ required: true, message: t('welcome.again.rule') }, ({ getFieldValue }) => ({ validator: (_: unknown, value: string) => (!value || value === getFieldValue('new') ? Promise.resolve() : Promise.reject(new Error(t('welcome.again.rule')))) })]}
        >
          <Input.Password autoComplete="new-password" maxLength={512} />
        </Form.Item>
        {action.problem && <div style={{ marginBottom: 10 }}><Failed problem={action.problem} /></div>}
        {done && <p className="note ok" role="status" style={{ marginBottom: 10 }}>{t('me.password.done')}</p>}
        <Button htmlType="submit" loading={action.busy}>{t('me.password.change')}</Button>
      </Form>
    </Panel>
  );
}

function Sessions() {
  const { t } = useWords();
  const { reload } = useDesk();
  const sessions = useLoad<OpenSession[]>((signal) => get('/me/sessions', undefined, signal), ['sessions']);
  const action = useAction();
  const end = (s: OpenSession): void => void action.run(async () => {
    await remove(`/me/sessions/${encodeURIComponent(s.id)}`);
    if (s.current) await reload();
    else sessions.reload();
  });
  const cols: Col<OpenSession>[] = [
    { key: 'agent', title: t('me.browser'), main: true, render: (s) => <span className="wrap cell">{s.agent || '–'}</span> },
    { key: 'current', title: '', beside: true, render: (s) => (s.current ? <Pill tone="accent">{t('me.thisOne')}</Pill> : null) },
    { key: 'address', title: t('me.from'), render: (s) => <span className="mono">{s.address}</span> },
    { key: 'since', title: t('col.since'), render: (s) => <Time at={s.since} /> },
    { key: 'used', title: t('me.used'), render: (s) => <Time at={s.used} /> },
    { key: 'end', title: '', acts: true, render: (s) => <Drop title={t('me.session.end')} onOk={() => end(s)} label={t('me.session.endOf', { agent: s.agent.slice(0, 24) })} words={t('me.session.endIt')} /> },
  ];
  return (
    <Panel title={t('me.sessions')} aside={<span className="dim small">{ZONE_NAME}</span>} flush>
      {sessions.problem && <div className="body"><Failed problem={sessions.problem} retry={sessions.reload} /></div>}
      {action.problem && <div className="body"><Failed problem={action.problem} /></div>}
      {!sessions.data && !sessions.problem && <div className="body"><Waiting /></div>}
      {sessions.data && <List rows={sessions.data} cols={cols} id={(s) => s.id} label={t('me.sessions')} empty={<p className="empty">–</p>} />}
    </Panel>
  );
}
