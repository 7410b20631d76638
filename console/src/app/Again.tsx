// Signing in again, within the session: what changes factors, password or tokens needs a proof that is not old. Then what was asked goes on.
import { KeyOutlined } from '@ant-design/icons';
import { Button, Form, Input, Modal } from 'antd';
import { get, post } from '../api/client';
import { possible, use } from '../api/passkey';
import type { Ceremony, Factors } from '../api/types';
import { useWords } from '../i18n';
import { CodeField } from '../ui/CodeField';
import { Failed, Waiting } from '../ui/State';
import { useAction, useLoad } from './load';

interface Fields { password: string; code?: string }

export default function Again({ onDone }: { onDone: (done: boolean) => void }) {
  const { t } = useWords();
  const factors = useLoad<Factors>((signal) => get('/me/factors', undefined, signal), ['again']);
  const action = useAction();
  const [form] = Form.useForm<Fields>();
  const byPassword = (values: Fields): void => void action.run(async () => {
    form.setFieldValue('code', '');
    await post('/me/again', { password: values.password, ...(values.code ? { code: values.code } : {}) });
    onDone(true);
  });
  const byPasskey = (): void => void action.run(async () => {
    const ceremony = await post<Ceremony>('/me/again/passkey/begin', {});
    let credential: unknown;
    try {
      credential = await use(ceremony.public_key);
    } catch {
      throw new Error(t('passkey.stopped'));
    }
    await post('/me/again/passkey/finish', { credential });
    onDone(true);
  });
  const data = factors.data;
  const withKey = Boolean(data && data.passkeys.length > 0 && possible());
  // A password alone is enough only where there is no second factor.
  const withPassword = Boolean(data && data.password && (data.totp || data.passkeys.length === 0));
  return (
    <Modal open title={t('again.title')} onCancel={() => onDone(false)} footer={null} mask={{ closable: false }} zIndex={1400} width={420}>
      <div className="stack">
        <p>{t('again.lead')}</p>
        {factors.problem && <Failed problem={factors.problem} retry={factors.reload} />}
        {!data && !factors.problem && <Waiting />}
        {withKey && <Button type={withPassword ? 'default' : 'primary'} icon={<KeyOutlined />} loading={action.busy} onClick={byPasskey}>{t('again.passkey')}</Button>}
        {withKey && withPassword && <div className="or" style={{ margin: 0 }}>{t('signin.or')}</div>}
        {withPassword && (
          <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={byPassword}>
            <Form.Item name="password" label={t('signin.password')} rules={[{ required: true, message: t('signin.password.rule') }]}><Input.Password autoComplete="current-password" maxLength={512} autoFocus /></Form.Item>
            {data?.totp && <Form.Item name="code" label={t('second.code')} rules={[{ required: true, len: 6, message: t('second.lead') }]}><CodeField /></Form.Item>}
            {action.problem && <div style={{ marginBottom: 12 }}><Failed problem={action.problem} /></div>}
            <div className="row"><Button type="primary" htmlType="submit" loading={action.busy}>{t('again.go')}</Button><Button onClick={() => onDone(false)}>{t('do.cancel')}</Button></div>
          </Form>
        )}
        {!withPassword && action.problem && <Failed problem={action.problem} />}
        {data && !withPassword && !withKey && <p className="note warn">{t('again.none')}</p>}
      </div>
    </Modal>
  );
}
