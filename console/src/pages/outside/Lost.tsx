// The address leads to no page: said, with the way back, whoever is here.
import { Button } from 'antd';
import { useEffect } from 'react';
import { useWords } from '../../i18n';
import { Frame } from './Outside';

const LONGEST = 120;

export function Lost({ path }: { path: string }) {
  const { t } = useWords();
  useEffect(() => { document.title = `${t('shell.nowhere')} · ${t('brand')}`; }, [t]);
  return (
    <Frame>
      <div className="box">
        <h2>{t('shell.nowhere')}</h2>
        <p className="lead">{t('lost.why')}</p>
        <pre className="code wrap" tabIndex={0} aria-label={t('lost.address')}>{path.length > LONGEST ? `${path.slice(0, LONGEST)}…` : path}</pre>
        <div style={{ marginTop: 18 }}><Button type="primary" size="large" href="/">{t('lost.back')}</Button></div>
      </div>
    </Frame>
  );
}
