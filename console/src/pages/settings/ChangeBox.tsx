// A change before it is made: its difference, what is wrong with it, why; then done, or waiting for a second person.
import { Button, Form } from 'antd';
import { useEffect, useState } from 'react';
import { post } from '../../api/client';
import type { Changed, Checked } from '../../api/types';
import { useAction, useLoad } from '../../app/load';
import { useWords } from '../../i18n';
import { Pill } from '../../ui/Bits';
import { Panel } from '../../ui/Page';
import { ReasonField } from '../../ui/Reason';
import { Failed, Waiting } from '../../ui/State';
import { Differences, type Drafts } from './SettingsPage';

/** `onProblems`: what is wrong with each value, to be said at its field too. */
export function ChangeBox({ drafts, setDrafts, onProblems, onDone }: { drafts: Drafts; setDrafts: (next: Drafts) => void; onProblems: (all: Checked['problems']) => void; onDone: () => void }) {
  const { t, code, pick } = useWords();
  const checked = useLoad<Checked>((signal) => post('/settings/check', { changes: drafts, reason: '' }, signal), [drafts]);
  const action = useAction();
  const found = checked.data?.problems;
  useEffect(() => onProblems(found ?? []), [found, onProblems]);
  const [done, setDone] = useState<Changed | null>(null);
  const send = (values: { reason: string }): void => void action.run(async () => {
    const got = await post<Changed | undefined>('/settings', { changes: drafts, reason: values.reason.trim() });
    setDone(got ?? { state: 'done' });
  });
  if (done) {
    return (
      <div className={`note ${done.state === 'waits' ? 'warn' : 'ok'} row`} role="status">
        <span className="grow">{code('changedSettings', done.state)} {done.remark && <>{pick(done.remark)} </>}{done.approval && <a href={`#/approvals/${done.approval}?show=mine`}>{t('users.seeApproval')}</a>}</span>
        <Button size="small" onClick={onDone}>{t('do.close')}</Button>
      </div>
    );
  }
  const problems = checked.data?.problems ?? [];
  return (
    <Panel title={t('settings.changing', { n: Object.keys(drafts).length })} aside={<>{checked.data && (checked.data.two_persons || problems.length === 0) && <Pill tone={checked.data.two_persons ? 'warn' : undefined}>{checked.data.two_persons ? t('settings.needsTwo') : t('settings.needsOne')}</Pill>}<Button size="small" onClick={() => setDrafts({})}>{t('settings.drop')}</Button></>}>
      <div className="stack">
        {checked.problem && <Failed problem={checked.problem} retry={checked.reload} />}
        {!checked.data && !checked.problem && <Waiting lines={3} />}
        {checked.data && (
          <>
            {(checked.data.differences.length > 0 || problems.length === 0) && <div className="panel"><Differences rows={checked.data.differences} /></div>}
            {problems.length > 0 && (
              <div className="note err" role="alert">
                <b>{t('settings.problems', { n: problems.length })}</b>
                <ul>{problems.map((p) => <li key={p.path + p.text.en}><span className="mono">{p.path}</span>: {pick(p.text)}</li>)}</ul>
              </div>
            )}
            {problems.length === 0 && (
              <Form layout="vertical" requiredMark={false} onFinish={send}>
                <ReasonField />
                {action.problem && <div style={{ marginBottom: 10 }}><Failed problem={action.problem} /></div>}
                <Button type="primary" htmlType="submit" loading={action.busy}>{checked.data.two_persons ? t('settings.askSecond') : t('settings.make')}</Button>
              </Form>
            )}
          </>
        )}
      </div>
    </Panel>
  );
}
