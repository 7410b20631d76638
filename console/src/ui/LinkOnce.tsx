// A one-use link: shown once, handed over by hand.
import { Input, Modal } from 'antd';
import { useWords } from '../i18n';
import { Copy } from './Bits';

/** The program may give a whole address or the token alone. */
export function linkOf(link: string): string {
  return /^https?:/.test(link) ? link : `${window.location.origin}/#/welcome/${encodeURIComponent(link.replace(/^.*#?\/?welcome\//, ''))}`;
}

export function LinkOnce({ link, onClose }: { link: string; onClose: () => void }) {
  const { t } = useWords();
  const whole = linkOf(link);
  return (
    <Modal open title={t('link.title')} onCancel={onClose} onOk={onClose} okText={t('link.done')} cancelButtonProps={{ style: { display: 'none' } }} mask={{ closable: false }}>
      <div className="stack">
        <p>{t('link.lead')}</p>
        <Input.TextArea readOnly value={whole} rows={3} aria-label={t('link.title')} className="mono" onFocus={(event) => event.target.select()} />
        <div><Copy text={whole} label={t('link.copy')} /></div>
        <p className="note warn">{t('link.once')}</p>
      </div>
    </Modal>
  );
}
