// How to point a device here: commands with this program's own ports.
import { Input } from 'antd';
import { useMemo, useState } from 'react';
import { get } from '../../api/client';
import type { Guide } from '../../api/types';
import { useLoad } from '../../app/load';
import { useWords } from '../../i18n';
import { Copy, Pill } from '../../ui/Bits';
import { Failed, Nothing, Waiting } from '../../ui/State';

export function Guides() {
  const { t, lang, code } = useWords();
  const guides = useLoad<Guide[]>((signal) => get('/sources/guides', undefined, signal), ['guides']);
  const [find, setFind] = useState('');
  const shown = useMemo(() => (guides.data ?? []).filter((g) => `${g.vendor} ${g.kind} ${g.commands}`.toLowerCase().includes(find.trim().toLowerCase())), [guides.data, find]);
  if (guides.problem) return <Failed problem={guides.problem} retry={guides.reload} />;
  if (!guides.data) return <Waiting lines={8} />;
  return (
    <div className="stack">
      <div className="row"><Input.Search allowClear placeholder={t('guide.find')} aria-label={t('guide.find')} style={{ maxWidth: 280 }} onChange={(event) => setFind(event.target.value)} /></div>
      {shown.length === 0 && <div className="panel"><Nothing title={t('guide.none')}>{t('guide.none.why')}</Nothing></div>}
      <div className="cols">
        {shown.map((g) => (
          <section key={`${g.kind}${g.vendor}`} className="panel">
            <header>
              <h2>{g.vendor}</h2>
              <Pill>{code('kind', g.kind)}</Pill>
              <div className="aside"><Copy text={g.commands} label={t('guide.copy')} /></div>
            </header>
            <div className="body stack tight">
              <pre className="code" tabIndex={0} aria-label={t('guide.commands', { vendor: g.vendor })}>{g.commands}</pre>
              <p className="dim">{lang === 'zh' ? g.note_zh : g.note}</p>
            </div>
          </section>
        ))}
      </div>
    </div>
  );
}
