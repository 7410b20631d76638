// API tokens: what each may do, until when; the secret is shown once.
import { Button, Checkbox, Form, Input, InputNumber, Modal } from 'antd';
import { useState } from 'react';
import { get, post, remove } from '../../api/client';
import type { Token } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { Copy, Pill, Time } from '../../ui/Bits';
import { type Col, List } from '../../ui/List';
import { Panel } from '../../ui/Page';
import { Failed, Nothing, Waiting } from '../../ui/State';
import { Drop } from './AccountPage';

// What no token ever gets.
const NEVER = ['accounts.change', 'roles.change', 'approvals.confirm', 'settings.change', 'break-glass.ask'];

export function Tokens() {
  const { t, code } = useWords();
  const tokens = useLoad<Token[]>((signal) => get('/me/tokens', undefined, signal), ['tokens']);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Token | null>(null);
  const action = useAction();
  const cols: Col<Token>[] = [
    { key: 'name', title: t('token.name'), main: true, render: (k) => <span className="wrap">{k.name}</span> },
    { key: 'scope', title: t('token.scope'), render: (k) => <span className="row" style={{ gap: 4 }}>{k.scope.map((c) => <span key={c} title={c}><Pill>{code('may', c)}</Pill></span>)}</span> },
    { key: 'expires', title: t('token.expires'), render: (k) => <Time at={k.expires} detail="day" /> },
    { key: 'used', title: t('me.used'), render: (k) => <Time at={k.used} detail="minute" /> },
    { key: 'drop', title: '', acts: true, render: (k) => <Drop title={t('token.drop')} onOk={() => void action.run(async () => { await remove(`/me/tokens/${encodeURIComponent(k.id)}`); tokens.reload(); })} label={t('me.dropOf', { name: k.name })} /> },
  ];
  return (
    <Panel title={t('token.title')} aside={<Button size="small" type="primary" onClick={() => setMaking(true)}>{t('token.make')}</Button>} flush>
      {tokens.problem && <div className="body"><Failed problem={tokens.problem} retry={tokens.reload} /></div>}
      {action.problem && <div className="body"><Failed problem={action.problem} /></div>}
      {!tokens.data && !tokens.problem && <div className="body"><Waiting /></div>}
      {tokens.data && <List rows={tokens.data} cols={cols} id={(k) => k.id} label={t('token.title')} empty={<Nothing title={t('token.none')}>{t('token.none.why')}</Nothing>} />}
      {making && <Make onClose={() => setMaking(false)} onMade={(token) => { setMaking(false); setMade(token); tokens.reload(); }} />}
      {made?.secret && (
        <Modal open title={t('token.made')} onCancel={() => setMade(null)} footer={<Button type="primary" onClick={() => setMade(null)}>{t('link.done')}</Button>} mask={{ closable: false }}>
          <div className="stack">
            <Input.TextArea readOnly rows={3} className="mono" value={made.secret} aria-label={t('token.made')} onFocus={(event) => event.target.select()} />
            <div><Copy text={made.secret} label={t('token.copy')} /></div>
            <p className="note warn">{t('token.once')}</p>
            <pre className="code wrap">{`curl -H "Authorization: Bearer $TOKEN" ${window.location.origin}/api/v1/session`}</pre>
          </div>
        </Modal>
      )}
    </Panel>
  );
}

function Make({ onClose, onMade }: { onClose: () => void; onMade: (token: Token) => void }) {
  const { t, code } = useWords();
  const { me } = useDesk();
  const [form] = Form.useForm<{ name: string; scope: string[]; days: number }>();
  const action = useAction();
  const scopes = me.may.filter((c) => !NEVER.includes(c) && c !== 'self');
  const make = (values: { name: string; scope: string[]; days: number }): void => void action.run(async () => onMade(await post<Token>('/me/tokens', { ...values, name: values.name.trim() })));
  return (
    <Modal open title={t('token.make')} onCancel={onClose} onOk={() => form.submit()} okText={t('token.make')} cancelText={t('do.cancel')} okButtonProps={{ loading: action.busy }} destroyOnHidden>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={{ days: 90, scope: [] }} onFinish={make}>
        <Form.Item name="name" label={t('token.name')} rules={[{ required: true, whitespace: true, max: 64, message: t('token.name.rule') }]}><Input maxLength={64} autoFocus /></Form.Item>
        <Form.Item name="scope" label={t('token.scope')} rules={[{ validator: (_: unknown, value: string[]) => (value.length > 0 ? Promise.resolve() : Promise.reject(new Error(t('token.scope.rule')))) }]}>
          <Checkbox.Group><div className="stack tight">{scopes.map((c) => <Checkbox key={c} value={c}>{code('may', c)} <span className="mono dim small">{c}</span></Checkbox>)}</div></Checkbox.Group>
        </Form.Item>
        <Form.Item name="days" label={t('token.days')} rules={[{ required: true, type: 'integer', min: 1, max: 366, message: t('token.days.rule') }]}><InputNumber min={1} max={366} /></Form.Item>
        <p className="dim small">{t('token.lead')}</p>
        {action.problem && <Failed problem={action.problem} />}
      </Form>
    </Modal>
  );
}
