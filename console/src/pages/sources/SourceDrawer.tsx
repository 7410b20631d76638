// One source: its figures, and what of it was not understood.
import { Drawer } from 'antd';
import { get } from '../../api/client';
import type { Malformed, Source } from '../../api/types';
import { useLoad } from '../../app/load';
import { useWords } from '../../i18n';
import { count, rate } from '../../lib/format';
import { ZONE_NAME } from '../../lib/time';
import { Copy, Pairs, Pill, Status, Time, useDrawerWidth } from '../../ui/Bits';
import { Failed, Nothing, Waiting } from '../../ui/State';
import { offset } from '../lookup/words';
import { SOURCE_TONE } from './Sources';

export function SourceDrawer({ source, onClose }: { source: Source; onClose: () => void }) {
  const words = useWords();
  const { t, code, pick } = words;
  const samples = useLoad<Malformed[]>((signal) => get(`/sources/${source.number}/malformed`, undefined, signal), ['malformed', source.number]);
  const width = useDrawerWidth();
  return (
    <Drawer open onClose={onClose} size={width} title={<span className="wrap">{source.name}</span>} extra={<Status tone={SOURCE_TONE[source.state] ?? 'idle'}>{code('sourceState', source.state)}</Status>}>
      <div className="stack">
        {source.trouble && <p className="note err wrap">{pick(source.trouble)}</p>}
        {source.state === 'silent' && <p className="note warn">{t('source.silent')}</p>}
        <Pairs
          of={[
            [t('source.number'), <span key="n" className="num">{source.number}</span>],
            [t('source.kind'), code('kind', source.kind)],
            [t('chain.realm'), source.realm],
            [t('source.peer'), <span key="p" className="nowrap-id"><span className="mono wrap">{source.peer || '–'}</span><Copy text={source.peer} quiet /></span>],
            [t('source.profile'), source.profile || '–'],
            [t('source.clock'), code('basis', source.clock)],
            [t('source.offset'), source.offset_ms === null || source.offset_ms === undefined ? '–' : offset(source.offset_ms, words)],
            [t('col.since'), <><Time at={source.since} /> {ZONE_NAME}</>],
            [t('source.seen'), <Time key="s" at={source.last_seen} detail="ms" />],
            [t('source.complete'), <Time key="c" at={source.complete_to} detail="ms" />],
          ]}
        />
        <dl className="figures">
          <div><dt>{t('source.rate')}</dt><dd>{rate(source.rate)}<small>{t('unit.perSecond')}</small></dd></div>
          <div><dt>{t('source.messages')}</dt><dd>{count(source.messages)}</dd></div>
          <div><dt>{t('source.records')}</dt><dd>{count(source.records)}</dd></div>
          <div><dt>{t('source.lost')}</dt><dd className={source.lost > 0 ? 'err' : ''}>{count(source.lost)}</dd></div>
          <div><dt>{t('source.malformed1')}</dt><dd>{count(source.malformed)}</dd></div>
          <div><dt>{t('source.unrecognised')}</dt><dd>{count(source.unrecognised)}</dd></div>
          <div><dt>{t('source.ignored')}</dt><dd>{count(source.ignored)}</dd></div>
          <div><dt>{t('source.duplicates')}</dt><dd>{count(source.duplicates)}</dd></div>
        </dl>
        <section>
          <h3 style={{ fontSize: 14, marginBottom: 2 }}>{t('malformed.title')}</h3>
          <p className="dim small" style={{ marginBottom: 8 }}>{t('malformed.why')}</p>
          {samples.problem && <Failed problem={samples.problem} retry={samples.reload} />}
          {!samples.data && !samples.problem && <Waiting />}
          {samples.data?.length === 0 && <Nothing title={t('malformed.none')} />}
          <ul className="stack tight">
            {samples.data?.map((m, n) => (
              <li key={`${m.time}${n}`} className="panel">
                <div className="body stack tight" style={{ padding: '8px 12px' }}>
                  <div className="row between">
                    <Pill tone="warn">{m.reason}</Pill>
                    <span className="dim small"><Time at={m.time} detail="ms" />{m.offset !== null && m.offset !== undefined ? ` · ${t('malformed.at', { n: m.offset })}` : ''}{m.bytes ? ` · ${t('malformed.bytes', { n: m.bytes })}` : ''}</span>
                  </div>
                  {m.shape && <pre className="code wrap" style={{ maxHeight: 120 }}>{m.shape}</pre>}
                </div>
              </li>
            ))}
          </ul>
        </section>
      </div>
    </Drawer>
  );
}
