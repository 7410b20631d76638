// What is shown once: a one-use link, handed over by hand, and the code that is its other half.
import { Input, Modal } from 'antd';
import type { ReactNode } from 'react';
import { useWords } from '../i18n';
import { Copy } from './Bits';

/** The program may give a whole address or the token alone. */
export function linkOf(link: string): string {
  return /^https?:/.test(link) ? link : `${window.location.origin}/#/welcome/${encodeURIComponent(link.replace(/^.*#?\/?welcome\//, ''))}`;
}

function Once({ title, lead, copy, text, onClose, children }: { title: string; lead: string; copy: string; text: string; onClose: () => void; children: ReactNode }) {
  const { t } = useWords();
  return (
    <Modal open title={title} onCancel={onClose} onOk={onClose} okText={t('link.done')} cancelButtonProps={{ style: { display: 'none' } }} mask={{ closable: false }}>
      <div className="stack">
        <p>{lead}</p>
        {children}
        <div><Copy text={text} label={copy} /></div>
        <p className="note warn">{t('link.once')}</p>
      </div>
    </Modal>
  );
}

/** `halved`: who confirmed it has a code, without which the link is worth nothing. */
export function LinkOnce({ link, halved = false, onClose }: { link: string; halved?: boolean; onClose: () => void }) {
  const { t } = useWords();
  const whole = linkOf(link);
  return (
    <Once title={t('link.title')} lead={t(halved ? 'link.leadHalf' : 'link.lead')} copy={t('link.copy')} text={whole} onClose={onClose}>
      <Input.TextArea readOnly value={whole} rows={3} aria-label={t('link.title')} className="mono" onFocus={(event) => event.target.select()} />
    </Once>
  );
}

export function CodeOnce({ code, name, onClose }: { code: string; name: string; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Once title={t('linkCode.title')} lead={t('linkCode.lead', { name })} copy={t('linkCode.copy')} text={code} onClose={onClose}>
      <p className="once-code mono">{code}</p>
      <p className="dim">{t('linkCode.lost')}</p>
    </Once>
  );
}
