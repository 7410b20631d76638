// What happened: records through the masking view, exports, SQL for who may, and a log line as it came for who may open one.
import { Tabs } from 'antd';
import { get } from '../../api/client';
import type { KindShape, Source } from '../../api/types';
import { useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { Page } from '../../ui/Page';
import { Failed, Waiting } from '../../ui/State';
import { Browse } from './Browse';
import { LinePanel } from './OpenLine';
import { Sql } from './Sql';

export default function RecordsPage() {
  const { t } = useWords();
  const { may } = useDesk();
  const reads = may('records.read');
  const kinds = useLoad<KindShape[]>(reads ? (signal) => get('/records/kinds', undefined, signal) : null, ['kinds']);
  const sources = useLoad<Source[]>(may('sources.read') && reads ? (signal) => get('/sources', undefined, signal) : null, ['record-sources']);
  if (!reads) return <Page title={t('records.title')} purpose={t('raw.purpose')}><LinePanel /></Page>;
  return (
    <Page title={t('records.title')} purpose={t('records.purpose')}>
      <p className="note"><b>{t('mask.title')}</b> {t('mask.why')}</p>
      {kinds.problem && <Failed problem={kinds.problem} retry={kinds.reload} />}
      {!kinds.data && !kinds.problem && <Waiting lines={8} />}
      {kinds.data && (
        <Tabs
          items={[
            { key: 'browse', label: t('records.browse'), children: <Browse kinds={kinds.data} sources={sources.data ?? []} /> },
            ...(may('sql.run') ? [{ key: 'sql', label: t('records.sql'), children: <Sql kinds={kinds.data} /> }] : []),
            ...(may('text.open') ? [{ key: 'line', label: t('raw.tab'), children: <LinePanel /> }] : []),
          ]}
        />
      )}
    </Page>
  );
}
