// A log line as it came: opened one at a time, for a purpose, by who may; that it was is in the ledger before it is shown.
import { Button, Form, Input, Modal } from 'antd';
import { type ReactNode, useState } from 'react';
import { post } from '../../api/client';
import type { Text } from '../../api/types';
import { useAction } from '../../app/load';
import { useWords } from '../../i18n';
import { Copy, Pairs, Time } from '../../ui/Bits';
import { Panel } from '../../ui/Page';
import { Failed } from '../../ui/State';
import { type Line, lineOf } from './line';

interface Fields { which?: string; reason: string }

/** `given`: the line is known, and only the purpose is asked. */
function LineForm({ given, foot }: { given?: Line; foot?: ReactNode }) {
  const { t } = useWords();
  const [form] = Form.useForm<Fields>();
  const [shown, setShown] = useState<(Line & { text: string }) | null>(null);
  const action = useAction();
  const open = ({ which, reason }: Fields): void => void action.run(async () => {
    const line = given ?? lineOf(which ?? '');
    if (!line) return;
    const { text } = await post<Text>(`/records/${encodeURIComponent(line.id)}/text`, { time: line.time, reason: reason.trim() });
    setShown({ ...line, text });
  });
  const another = (): void => {
    form.resetFields();
    setShown(null);
  };
  const line = shown ?? given;
  return (
    <div className="stack">
      {line && <Pairs of={[[t('raw.id'), <span key="i" className="mono wrap">{line.id}</span>], [t('raw.time'), <Time key="t" at={line.time} detail="ms" />]]} />}
      {shown ? (
        <div className="stack" role="status">
          <pre className="code wrap" tabIndex={0} aria-label={t('raw.title')}>{shown.text}</pre>
          <p className="note ok">{t('raw.kept')}</p>
          <div className="row"><Copy text={shown.text} label={t('raw.copy')} />{given ? foot : <Button onClick={another}>{t('raw.another')}</Button>}</div>
        </div>
      ) : (
        <Form<Fields> form={form} layout="vertical" requiredMark={false} onFinish={open}>
          <p className="note warn" style={{ marginBottom: 14 }}>{t('raw.lead')}</p>
          {!given && (
            <Form.Item name="which" label={t('raw.which')} extra={t('raw.which.extra')} rules={[{ validator: (_: unknown, value: string) => (lineOf(value ?? '') ? Promise.resolve() : Promise.reject(new Error(t('raw.which.rule')))) }]} validateTrigger="onBlur">
              <Input className="mono" maxLength={120} spellCheck={false} autoComplete="off" />
            </Form.Item>
          )}
          <Form.Item name="reason" label={t('raw.why')} extra={t('raw.why.extra')} rules={[{ required: true, min: 4, max: 200, whitespace: true, message: t('reason.rule') }]}>
            <Input.TextArea rows={2} maxLength={200} autoFocus={Boolean(given)} />
          </Form.Item>
          {action.problem && <div style={{ marginBottom: 12 }}><Failed problem={action.problem} /></div>}
          <div className="row"><Button type="primary" htmlType="submit" loading={action.busy}>{t('raw.open')}</Button>{foot}</div>
        </Form>
      )}
    </div>
  );
}

/** For who may open lines and may not read records: id and time come from who reads them. */
export function LinePanel() {
  const { t } = useWords();
  return <div style={{ maxWidth: 860 }}><Panel title={t('raw.title')}><LineForm /></Panel></div>;
}

export function LineDialog({ line, onClose }: { line: Line; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Modal open title={t('raw.title')} onCancel={onClose} footer={null} width={640} destroyOnHidden>
      <LineForm given={line} foot={<Button onClick={onClose}>{t('do.close')}</Button>} />
    </Modal>
  );
}
