// An invitation is accepted, then a second factor is set up.
import { Button, Form, Input } from 'antd';
import { useEffect, useState } from 'react';
import { codeOf, post } from '../../api/client';
import type { Invitation, Problem, Session } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { go, replace } from '../../app/router';
import { useWords } from '../../i18n';
import { Failed, Waiting } from '../../ui/State';
import { Enrol } from './Enrol';

/** A link that never was one signs nobody in: of a link that is said in other words. */
const unknown = (problem: Problem): Problem => (codeOf(problem) === 'wrong-credentials' ? { ...problem, type: 'urn:weir:problem:link-unknown', title: '', detail: '', todo: '' } : problem);

interface Props { session: Session; token: string; reload: () => Promise<void> }
interface Fields { code?: string; login: string; display: string; password: string; again: string }

export function Welcome({ session, token, reload }: Props) {
  const { t } = useWords();
  const action = useAction();
  const [form] = Form.useForm<Fields>();
  // The token leaves the address as soon as it was read: it must not stay in the history.
  const [held] = useState(token);
  const [accepted, setAccepted] = useState(session.next === 'enrol');
  useEffect(() => {
    if (token) replace('welcome');
    document.title = `${t(session.setup ? 'welcome.first' : 'welcome.title')} · ${t('brand')}`;
  }, [token, session.setup, t]);
  const link = useLoad<Invitation>(held && !accepted ? (signal) => post('/invitations/open', { token: held }, signal) : null, ['link']);
  const invited = link.data;
  // Nobody invited the first: the machine itself did.
  const [title, lead] = invited?.recovers ? ['welcome.recover', 'welcome.recover.lead'] as const : session.setup ? ['welcome.first', 'welcome.first.lead'] as const : ['welcome.title', 'welcome.lead'] as const;

  const accept = (values: Fields): void => void action.run(async () => {
    const code = values.code?.trim();
    try {
      await post('/invitations/accept', { token: held, login: values.login.trim(), display: values.display.trim(), password: values.password, ...(code ? { code } : {}) });
    } catch (error) {
      form.setFieldValue('code', '');
      throw error;
    }
    await reload();
    setAccepted(true);
  });
  const finish = async (): Promise<void> => {
    go('');
    await reload();
  };

  return (
    <div className="box wide">
      <ol className="steps-done">
        <li className={accepted ? '' : 'on'}>{t('welcome.step1')}</li>
        <li className={accepted ? 'on' : ''}>{t('welcome.step2')}</li>
      </ol>
      {accepted ? (
        <>
          <h2>{t('enrol.title')}</h2>
          <p className="lead">{session.next === 'enrol' ? t('enrol.must') : t('enrol.may')}</p>
          <Enrol demo={session.unit.demo} onDone={() => void finish()} />
          <div style={{ marginTop: 16 }}>
            {session.next === 'enrol' ? null : <Button type="link" style={{ padding: 0 }} onClick={() => void finish()}>{t('enrol.later')}</Button>}
          </div>
        </>
      ) : !held ? (
        <>
          <h2>{t('welcome.none')}</h2>
          <p className="lead">{t('welcome.none.why')}</p>
          <Button onClick={() => go('')}>{t('welcome.toSignIn')}</Button>
        </>
      ) : !invited ? (
        <>
          <h2>{t(session.setup ? 'welcome.first' : 'welcome.title')}</h2>
          <div style={{ margin: '12px 0' }}>{link.problem ? <Failed problem={unknown(link.problem)} retry={codeOf(link.problem) === 'unreachable' ? link.reload : undefined} /> : <Waiting />}</div>
          {link.problem && <Button onClick={() => go('')}>{t('welcome.toSignIn')}</Button>}
        </>
      ) : (
        <>
          <h2>{t(title)}</h2>
          <p className="lead">{t(lead)}</p>
          <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={accept} initialValues={{ display: invited.display ?? '' }}>
            {invited.code_needed && (
              <Form.Item name="code" label={t('welcome.code')} extra={t('welcome.code.extra')} rules={[{ required: true, whitespace: true, message: t('welcome.code.rule') }]}>
                <Input size="large" className="mono" autoComplete="off" autoCapitalize="characters" spellCheck={false} maxLength={20} placeholder="XXXX-XXXX" style={{ letterSpacing: '0.12em', maxWidth: 220 }} />
              </Form.Item>
            )}
            <Form.Item name="login" label={t('welcome.login')} extra={t('welcome.login.extra')} rules={[{ required: true, pattern: /^[a-z0-9._-]{2,32}$/, message: t('welcome.login.rule') }]}>
              <Input size="large" autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={32} autoFocus />
            </Form.Item>
            <Form.Item name="display" label={t('welcome.display')} rules={[{ required: true, whitespace: true, message: t('welcome.display.rule') }]}>
              <Input size="large" autoComplete="name" maxLength={64} />
            </Form.Item>
            <Form.Item name="password" label={t('welcome.password')} extra={t('welcome.password.extra')} rules={[{ required: true, min: 12, message: t('welcome.password.rule') }]}>
              <Input.Password size="large" autoComplete="new-password" maxLength={512} />
            </Form.Item>
            <Form.Item
              name="again" label={t('welcome.again')} dependencies={['password']}
              rules={[{ required: true, message: t('welcome.again.rule') }, ({ getFieldValue }) => ({
                validator: (_: unknown, value: string) => (!value || value === getFieldValue('password') ? Promise.resolve() : Promise.reject(new Error(t('welcome.again.rule')))),
              })]}
            >
              <Input.Password size="large" autoComplete="new-password" maxLength={512} />
            </Form.Item>
            {action.problem && <div style={{ marginBottom: 12 }}><Failed problem={action.problem} /></div>}
            <Button type="primary" size="large" block htmlType="submit" loading={action.busy}>{t(title === 'welcome.first' ? 'welcome.first.go' : 'welcome.accept')}</Button>
          </Form>
        </>
      )}
    </div>
  );
}
