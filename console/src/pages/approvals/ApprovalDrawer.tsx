// One request: exactly what is asked for, its digest, each step, and what I may do about it.
import { Button, Drawer } from 'antd';
import { type ReactNode, useState } from 'react';
import { get, post } from '../../api/client';
import type { Approval, Changed, Confirmed } from '../../api/types';
import { useAction } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { ZONE_NAME } from '../../lib/time';
import { Id, Pairs, Pill, Time, useDrawerWidth } from '../../ui/Bits';
import { CodeOnce, LinkOnce } from '../../ui/LinkOnce';
import { Reason } from '../../ui/Reason';
import { Failed } from '../../ui/State';
import { APPROVAL_TONE } from './Approvals';

interface Props { approval: Approval; onClose: () => void; onChanged: () => void }

export function ApprovalDrawer({ approval, onClose, onChanged }: Props) {
  const { t, code, pick } = useWords();
  const { me, may } = useDesk();
  const action = useAction();
  const [refusing, setRefusing] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  const [half, setHalf] = useState<string | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const width = useDrawerWidth();
  const mine = approval.asked_by === me.id;
  const waiting = approval.state === 'waiting';
  const act = (work: () => Promise<void>): void => void action.run(async () => {
    await work();
    onChanged();
  });
  const confirm = (): void => act(async () => {
    const got = await post<Confirmed | undefined>(`/approvals/${approval.id}/confirm`, { digest: approval.digest });
    if (got?.code) setHalf(got.code);
  });
  const withdraw = (): void => act(async () => { await post(`/approvals/${approval.id}/withdraw`, {}); });
  const result = (): void => act(async () => {
    const got = await get<Changed>(`/approvals/${approval.id}/result`);
    if (got.link) setLink(got.link);
    else setSaid(code('changed', got.state));
  });
  const apply = (): void => act(async () => {
    const content = approval.content as { changes?: Record<string, string | null> };
    const got = await post<Changed>('/settings', { changes: content.changes ?? content, reason: approval.reason, approval: approval.id });
    setSaid(code('changed', got?.state ?? 'done'));
  });
  const applies = mine && approval.state === 'confirmed' && approval.kind === 'setting-change';
  const hasResult = mine && approval.has_result === true;
  const footer: ReactNode = (
    <div className="stack tight">
      {action.problem && <Failed problem={action.problem} />}
      {said && <p className="note ok" role="status">{said}</p>}
      {waiting && may('approvals.confirm') && !approval.may_confirm && <p className="note warn">{approval.why_not ? pick(approval.why_not) : t('approval.whyNot')}</p>}
      <div className="row">
        {waiting && approval.may_confirm && <Button type="primary" loading={action.busy} onClick={confirm}>{t('approval.confirm')}</Button>}
        {waiting && approval.may_confirm && <Button danger onClick={() => setRefusing(true)}>{t('approval.refuse')}</Button>}
        {waiting && mine && <Button loading={action.busy} onClick={withdraw}>{t('approval.withdraw')}</Button>}
        {applies && <Button type="primary" loading={action.busy} onClick={apply}>{t('approval.apply')}</Button>}
        {hasResult && <Button type="primary" loading={action.busy} onClick={result}>{t('approval.result')}</Button>}
      </div>
    </div>
  );
  return (
    <Drawer open onClose={onClose} size={width} title={code('approvalKind', approval.kind)} extra={<Pill tone={APPROVAL_TONE[approval.state]}>{code('approvalState', approval.state)}</Pill>} footer={footer} styles={{ footer: { padding: 14 } }}>
      <div className="stack">
        <Pairs
          of={[
            [t('approval.by'), approval.asked_by_display],
            [t('reason.short'), <span key="r" className="wrap">{approval.reason}</span>],
            [t('approval.at'), <><Time at={approval.asked_at} /> {ZONE_NAME}</>],
            [t('approval.expires'), <Time key="e" at={approval.expires} />],
            [t('approval.needed'), t('approval.needed.n', { n: approval.needed })],
          ]}
        />
        <section>
          <h3 style={{ fontSize: 14 }}>{t('approval.content')}</h3>
          <p className="dim small" style={{ marginBottom: 6 }}>{t('approval.content.why')}</p>
          <Content value={approval.content} />
          <div className="row" style={{ marginTop: 8 }}><span className="dim small">SHA-256</span><Id id={approval.digest} whole /></div>
        </section>
        <section>
          <h3 style={{ fontSize: 14, marginBottom: 8 }}>{t('approval.steps')}</h3>
          <ol className="steps">
            {approval.steps.map((step, n) => (
              <li key={`${step.time}${n}`} className={step.what}>
                <b>{code('step', step.what)}</b> <span className="wrap">{step.display || t('approval.program')}</span>
                <div className="dim small"><Time at={step.time} />{step.reason && pick(step.reason) ? ` · ${pick(step.reason)}` : ''}</div>
              </li>
            ))}
          </ol>
        </section>
      </div>
      {refusing && (
        <Reason
          title={t('approval.refuse')} lead={t('approval.refuse.lead')} ok={t('approval.refuse')} danger busy={action.busy} problem={action.problem} onClose={() => setRefusing(false)}
          onOk={(reason) => act(async () => {
            await post(`/approvals/${approval.id}/refuse`, { reason });
            setRefusing(false);
          })}
        />
      )}
      {link && <LinkOnce link={link} halved onClose={() => setLink(null)} />}
      {half && <CodeOnce code={half} name={nameOf(approval)} onClose={() => setHalf(null)} />}
    </Drawer>
  );
}

/** Whom the link is for. */
function nameOf(approval: Approval): string {
  const display = (approval.content as { display?: unknown } | null)?.display;
  return typeof display === 'string' ? display : '';
}

/** The content as it is, a line a value: nothing of it is left out. */
function Content({ value }: { value: unknown }) {
  const { t, code } = useWords();
  const flat: [string, string][] = [];
  const walk = (at: string, v: unknown): void => {
    if (v !== null && typeof v === 'object' && !Array.isArray(v) && Object.keys(v).length > 0) {
      for (const [key, inner] of Object.entries(v)) walk(at ? `${at} › ${code('field', key)}` : code('field', key), inner);
    } else flat.push([at || t('approval.content'), v === null ? t('settings.takeBack') : Array.isArray(v) ? v.map((x) => (typeof x === 'object' ? JSON.stringify(x) : code('role', String(x)))).join(', ') : String(v)]);
  };
  walk('', value);
  return (
    <div className="panel">
      <div className="body"><Pairs of={flat.map(([name, text]) => [name, <span key={name} className="wrap mono">{text}</span>])} /></div>
    </div>
  );
}
