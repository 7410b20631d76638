// Invites a person: the link is theirs alone, and is shown once.
import { UserAddOutlined } from '@ant-design/icons';
import { Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { post } from '../../api/client';
import type { Account, Changed, Role } from '../../api/types';
import { useAction } from '../../app/load';
import { useWords } from '../../i18n';
import { ReasonField } from '../../ui/Reason';
import { Failed } from '../../ui/State';
import { RolePicker } from './RolePicker';
import type { Outcome } from './outcome';

interface Fields { display: string; roles: string[]; person?: string; reason: string }

export function Invite({ roles, accounts, onDone }: { roles: Role[]; accounts: Account[]; onDone: (outcome: Outcome) => void }) {
  const { t } = useWords();
  const [open, setOpen] = useState(false);
  const [form] = Form.useForm<Fields>();
  const action = useAction();
  const persons = [...new Map(accounts.map((a) => [a.person, a.display])).entries()];
  const send = (values: Fields): void => void action.run(async () => {
    const body = { display: values.display.trim(), roles: values.roles, reason: values.reason.trim(), ...(values.person ? { person: values.person } : {}) };
    const changed = await post<Changed>('/accounts', body);
    setOpen(false);
    form.resetFields();
    onDone({ what: t('invite.of', { name: body.display }), changed });
  });
  return (
    <>
      <Button type="primary" icon={<UserAddOutlined />} onClick={() => { action.clear(); setOpen(true); }}>{t('invite.title')}</Button>
      <Modal open={open} title={t('invite.title')} onCancel={() => setOpen(false)} onOk={() => form.submit()} okText={t('invite.go')} cancelText={t('do.cancel')} okButtonProps={{ loading: action.busy }} destroyOnHidden width={560}>
        <Form form={form} layout="vertical" requiredMark={false} onFinish={send} initialValues={{ roles: [] }}>
          <p style={{ marginBottom: 12 }}>{t('invite.lead')}</p>
          <Form.Item name="display" label={t('invite.display')} rules={[{ required: true, whitespace: true, message: t('welcome.display.rule') }]}><Input maxLength={64} autoFocus /></Form.Item>
          <Form.Item name="roles" label={t('account.roles')} rules={[{ required: true, type: 'array', min: 1, message: t('invite.roles.rule') }]}><RolePicker roles={roles} /></Form.Item>
          <Form.Item name="person" label={t('invite.person')} extra={t('invite.person.extra')}>
            <Select allowClear placeholder={t('invite.newPerson')} options={persons.map(([value, label]) => ({ value, label }))} showSearch={{ optionFilterProp: 'label' }} />
          </Form.Item>
          <ReasonField />
          {action.problem && <Failed problem={action.problem} />}
        </Form>
      </Modal>
    </>
  );
}
