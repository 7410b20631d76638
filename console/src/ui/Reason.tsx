// Asks why, before something that is written down with its reason.
import { Form, Input, Modal } from 'antd';
import type { ReactNode } from 'react';
import type { Problem } from '../api/types';
import { useWords } from '../i18n';
import { Failed } from './State';

interface Props {
  title: string;
  lead: ReactNode;
  ok: string;
  danger?: boolean;
  busy: boolean;
  problem: Problem | null;
  onOk: (reason: string) => void;
  onClose: () => void;
  children?: ReactNode;
}

export function ReasonField() {
  const { t } = useWords();
  return (
    <Form.Item name="reason" label={t('reason.label')} extra={t('reason.extra')} rules={[{ required: true, min: 4, max: 200, whitespace: true, message: t('reason.rule') }]}>
      <Input.TextArea rows={2} maxLength={200} />
    </Form.Item>
  );
}

export function Reason({ title, lead, ok, danger, busy, problem, onOk, onClose, children }: Props) {
  const { t } = useWords();
  const [form] = Form.useForm<{ reason: string }>();
  return (
    <Modal
      open
      title={title}
      onCancel={onClose}
      onOk={() => form.submit()}
      okText={ok}
      cancelText={t('do.cancel')}
      okButtonProps={{ danger, loading: busy }}
      destroyOnHidden
    >
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(values) => onOk(values.reason.trim())}>
        <div className="stack">
          <div>{lead}</div>
          {children}
          <ReasonField />
          {problem && <Failed problem={problem} />}
        </div>
      </Form>
    </Modal>
  );
}
