// A second factor: a passkey, or codes of an authenticator app.
import { KeyOutlined, MobileOutlined } from '@ant-design/icons';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { post } from '../../api/client';
import { create, possible } from '../../api/passkey';
import type { Ceremony, TotpBegin } from '../../api/types';
import { useAction } from '../../app/load';
import { useWords } from '../../i18n';
import { adopt } from '../../lib/totp';
import { Copy } from '../../ui/Bits';
import { CodeField } from '../../ui/CodeField';
import { Qr } from '../../ui/Qr';
import { Failed } from '../../ui/State';

/** `demo`: of a demonstration, in which nobody exists, this page may stand in for the app. */
export function Enrol({ demo, onDone }: { demo: boolean; onDone: () => void }) {
  const [totp, setTotp] = useState(false);
  if (totp) return <TotpEnrol onDone={onDone} onBack={() => setTotp(false)} />;
  return (
    <div className="stack">
      {demo && <DemoEnrol onDone={onDone} />}
      <Choice onDone={onDone} onTotp={() => setTotp(true)} />
    </div>
  );
}

/** One click into the demonstration: the second factor is set up as everywhere, with this browser as the app. */
function DemoEnrol({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const action = useAction();
  const start = (): void => void action.run(async () => {
    const begun = await post<TotpBegin>('/me/totp/begin', {});
    await post('/me/totp/finish', { code: await adopt(begun.secret) });
    onDone();
  });
  return (
    <div className="panel">
      <div className="body stack tight">
        <b>{t('enrol.demo')}</b>
        <p className="dim">{t('enrol.demo.why')}</p>
        <div><Button type="primary" loading={action.busy} onClick={start}>{t('enrol.demo.start')}</Button></div>
        {action.problem && <Failed problem={action.problem} />}
      </div>
    </div>
  );
}

function Choice({ onDone, onTotp }: { onDone: () => void; onTotp: () => void }) {
  const { t } = useWords();
  return (
    <div className="stack">
      {possible() && (
        <div className="panel">
          <div className="body stack tight">
            <b>{t('enrol.passkey')}</b>
            <p className="dim">{t('enrol.passkey.why')}</p>
            <PasskeyEnrol onDone={onDone} />
          </div>
        </div>
      )}
      <div className="panel">
        <div className="body stack tight">
          <b>{t('enrol.totp')}</b>
          <p className="dim">{t('enrol.totp.why')}</p>
          <div><Button icon={<MobileOutlined />} type={possible() ? 'default' : 'primary'} onClick={onTotp}>{t('enrol.totp.start')}</Button></div>
        </div>
      </div>
    </div>
  );
}

export function PasskeyEnrol({ onDone }: { onDone: () => void }) {
  const { t } = useWords();
  const action = useAction();
  const [name, setName] = useState('');
  const start = (): void => void action.run(async () => {
    const ceremony = await post<Ceremony>('/me/passkeys/begin', {});
    let credential: unknown;
    try {
      credential = await create(ceremony.public_key);
    } catch (error) {
      throw new Error(error instanceof DOMException && error.name === 'InvalidStateError' ? t('passkey.known') : t('passkey.stopped'));
    }
    await post('/me/passkeys/finish', { credential, name: name.trim() || t('passkey.unnamed') });
    onDone();
  });
  return (
    <div className="stack tight">
      <div className="row">
        <Input value={name} onChange={(event) => setName(event.target.value)} placeholder={t('passkey.name.hint')} aria-label={t('passkey.name')} maxLength={64} style={{ maxWidth: 220 }} />
        <Button type="primary" icon={<KeyOutlined />} loading={action.busy} onClick={start}>{t('enrol.passkey.start')}</Button>
      </div>
      {action.problem && <Failed problem={action.problem} />}
    </div>
  );
}

export function TotpEnrol({ onDone, onBack }: { onDone: () => void; onBack: () => void }) {
  const { t } = useWords();
  const action = useAction();
  const [begun, setBegun] = useState<TotpBegin | null>(null);
  const [code, setCode] = useState('');
  const begin = (): void => void action.run(async () => setBegun(await post<TotpBegin>('/me/totp/begin', {})));
  const finish = (): void => void action.run(async () => {
    await post('/me/totp/finish', { code });
    onDone();
  });
  if (!begun) {
    return (
      <div className="stack">
        <p>{t('totp.what')}</p>
        {action.problem && <Failed problem={action.problem} />}
        <div className="row">
          <Button type="primary" loading={action.busy} onClick={begin}>{t('totp.show')}</Button>
          <Button onClick={onBack}>{t('do.back')}</Button>
        </div>
      </div>
    );
  }
  return (
    <div className="stack">
      <div className="row top" style={{ gap: 16 }}>
        <Qr text={begun.uri} label={t('totp.qr')} />
        <div className="stack tight grow" style={{ minWidth: 180 }}>
          <p>{t('totp.scan')}</p>
          <p className="dim">{t('totp.type')}</p>
          <div className="row"><span className="mono wrap">{begun.secret.replace(/(.{4})/g, '$1 ').trim()}</span><Copy text={begun.secret} quiet /></div>
        </div>
      </div>
      <Form layout="vertical" onFinish={finish}>
        <Form.Item label={t('totp.confirm')} htmlFor="enrol-code">
          <CodeField id="enrol-code" value={code} onChange={setCode} />
        </Form.Item>
        {action.problem && <div style={{ marginBottom: 12 }}><Failed problem={action.problem} /></div>}
        <div className="row">
          <Button type="primary" htmlType="submit" disabled={code.length !== 6} loading={action.busy}>{t('totp.finish')}</Button>
          <Button onClick={onBack}>{t('do.back')}</Button>
        </div>
      </Form>
    </div>
  );
}
