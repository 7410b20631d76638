// Sign-in: passkey first, else password and then the second factor.
import { KeyOutlined } from '@ant-design/icons';
import { Button, Form, Input } from 'antd';
import { useEffect, useState } from 'react';
import { codeOf, pathOf, post, remove } from '../../api/client';
import { possible, use } from '../../api/passkey';
import type { Ceremony, Problem, Session } from '../../api/types';
import { useAction } from '../../app/load';
import { useRoute } from '../../app/router';
import { useWords } from '../../i18n';
import { ZONE_NAME, show } from '../../lib/time';
import { nextCode } from '../../lib/totp';
import { CodeField } from '../../ui/CodeField';
import { Failed } from '../../ui/State';

interface Props { session: Session; reload: () => Promise<void> }

export function SignIn({ session, reload }: Props) {
  const { t } = useWords();
  useEffect(() => { document.title = `${t('signin.title')} · ${t('brand')}`; }, [t]);
  if (session.next === 'totp' || session.next === 'passkey') return <Second session={session} reload={reload} />;
  return <First session={session} reload={reload} />;
}

/** Signs in with a passkey; a dialog that the person closed is no failure worth a red box. */
export function usePasskey(reload: () => Promise<void>): { busy: boolean; problem: Problem | null; start: () => void } {
  const { t } = useWords();
  const action = useAction();
  const start = (): void => void action.run(async () => {
    const ceremony = await post<Ceremony>('/session/passkey/begin', {});
    let credential: unknown;
    try {
      credential = await use(ceremony.public_key);
    } catch {
      throw new Error(t('passkey.stopped'));
    }
    await post('/session/passkey/finish', { credential });
    await reload();
  });
  return { busy: action.busy, problem: action.problem, start };
}

function First({ session, reload }: Props) {
  const { t } = useWords();
  const route = useRoute();
  const action = useAction();
  const passkey = usePasskey(reload);
  // Where an OpenID provider sent the browser back without success.
  const returned = route.page === 'problem' ? (route.rest[0] ?? '') : '';
  const enter = (values: { login: string; password: string }): void => void action.run(async () => {
    await post('/session/password', { login: values.login.trim(), password: values.password });
    await reload();
  });
  if (session.setup) {
    return (
      <div className="box">
        <h2>{t('setup.title')}</h2>
        <p className="lead">{t('setup.lead')}</p>
        <pre className="code wrap">{t('setup.where')}</pre>
      </div>
    );
  }
  return (
    <div className="box">
      <h2>{t('signin.title')}</h2>
      <p className="lead">{t('signin.lead')}</p>
      {possible() && (
        <>
          <Button type="primary" size="large" block icon={<KeyOutlined />} loading={passkey.busy} onClick={passkey.start}>{t('signin.passkey')}</Button>
          {passkey.problem && <div style={{ marginTop: 10 }}><Failed problem={passkey.problem} /></div>}
          <div className="or">{t('signin.or')}</div>
        </>
      )}
      <Form layout="vertical" requiredMark={false} onFinish={enter}>
        <Form.Item name="login" label={t('signin.login')} rules={[{ required: true, message: t('signin.login.rule') }]}>
          <Input size="large" autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={64} autoFocus />
        </Form.Item>
        <Form.Item name="password" label={t('signin.password')} rules={[{ required: true, message: t('signin.password.rule') }]}>
          <Input.Password size="large" autoComplete="current-password" maxLength={512} />
        </Form.Item>
        <Button size="large" block htmlType="submit" type={possible() ? 'default' : 'primary'} loading={action.busy}>{t('signin.enter')}</Button>
      </Form>
      {action.problem && <div style={{ marginTop: 12 }}><Refusal problem={action.problem} /></div>}
      {returned && !action.problem && <div style={{ marginTop: 12 }}><Failed problem={{ type: `urn:weir:problem:${returned}`, title: '', status: 401, detail: '', todo: '' }} /></div>}
      {session.providers.length > 0 && (
        <>
          <div className="or">{t('signin.elsewhere')}</div>
          <div className="stack tight">
            {session.providers.map((p) => <Button key={p.name} size="large" block href={pathOf(`/session/oidc/${encodeURIComponent(p.name)}/begin`)}>{p.title}</Button>)}
          </div>
        </>
      )}
    </div>
  );
}

/** A refusal that says when it is worth trying again, counting down. */
function Refusal({ problem }: { problem: Problem }) {
  const { t } = useWords();
  const wait = problem.retry_after ?? 0;
  const [until] = useState(() => Date.now() + wait * 1000);
  const [left, setLeft] = useState(wait);
  useEffect(() => {
    if (!wait) return undefined;
    const timer = window.setInterval(() => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000))), 500);
    return () => window.clearInterval(timer);
  }, [wait, until]);
  if (codeOf(problem) !== 'locked' && !wait) return <Failed problem={problem} />;
  return (
    <div className="stack tight">
      <Failed problem={{ ...problem, retry_after: null }} />
      {wait > 0 && <p className="note warn num" role="status">{left > 0 ? t('signin.locked', { at: `${show(until, 'clock')} ${ZONE_NAME}`, n: left }) : t('signin.unlocked')}</p>}
    </div>
  );
}

function Second({ session, reload }: Props) {
  const { t } = useWords();
  const action = useAction();
  const passkey = usePasskey(reload);
  const [code, setCode] = useState('');
  const totp = session.next === 'totp';
  // In the demonstration this browser may be the app.
  const app = totp && session.unit.demo ? nextCode() : null;
  const enter = (value: string): void => void action.run(async () => {
    try {
      await post('/session/totp', { code: value });
    } finally {
      setCode('');
    }
    await reload();
  });
  const back = (): void => void action.run(async () => {
    await remove('/session').catch(() => undefined);
    await reload();
  });
  return (
    <div className="box">
      <h2>{t('second.title')}</h2>
      <p className="lead">{totp ? t('second.lead') : t('second.leadPasskey')}</p>
      {totp && (
        <Form layout="vertical" onFinish={() => enter(code)}>
          <Form.Item label={t('second.code')} htmlFor="code">
            <CodeField id="code" value={code} onChange={setCode} onWhole={(digits) => { if (!action.busy) enter(digits); }} autoFocus block />
          </Form.Item>
          <Button type="primary" size="large" block htmlType="submit" disabled={code.length !== 6} loading={action.busy}>{t('second.enter')}</Button>
          {app && <div style={{ marginTop: 8 }}><Button size="large" block onClick={() => void app().then(enter)}>{t('second.demo')}</Button></div>}
        </Form>
      )}
      {action.problem && <div style={{ marginTop: 12 }}><Refusal key={JSON.stringify(action.problem)} problem={action.problem} /></div>}
      {possible() && (
        <>
          {totp && <div className="or">{t('signin.or')}</div>}
          <Button size="large" block type={totp ? 'default' : 'primary'} icon={<KeyOutlined />} loading={passkey.busy} onClick={passkey.start}>{t('signin.passkey')}</Button>
          {passkey.problem && <div style={{ marginTop: 10 }}><Failed problem={passkey.problem} /></div>}
        </>
      )}
      <div style={{ marginTop: 16 }}><Button type="link" onClick={back} style={{ padding: 0 }}>{t('second.back')}</Button></div>
    </div>
  );
}
