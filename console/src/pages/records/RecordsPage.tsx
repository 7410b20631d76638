// What happened: records through the masking view, exports, and SQL for who may.
import { Tabs } from 'antd';
import { get } from '../../api/client';
import type { KindShape, Source } from '../../api/types';
import { useLoad } from '../../app/load';
import { useDesk } from '../../app/session';
import { useWords } from '../../i18n';
import { Page } from '../../ui/Page';
import { Failed, Waiting } from '../../ui/State';
import { Browse } from './Browse';
import { Sql } from './Sql';

export default function RecordsPage() {
  const { t } = useWords();
  const { may } = useDesk();
  const kinds = useLoad<KindShape[]>((signal) => get('/records/kinds', undefined, signal), ['kinds']);
  const sources = useLoad<Source[]>(may('sources.read') ? (signal) => get('/sources', undefined, signal) : null, ['record-sources']);
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
          ]}
        />
      )}
    </Page>
  );
}
