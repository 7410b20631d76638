// Inside: the menu, the bar with the quick look-up, banners, and the page. Shows only what the account may do.
import { MenuOutlined } from '@ant-design/icons';
import { Button, Drawer } from 'antd';
import { Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { get, post } from '../api/client';
import { early } from '../api/early';
import type { Me, Overview, Session } from '../api/types';
import { useWords } from '../i18n';
import { ZONE_NAME, parse, show } from '../lib/time';
import { useNarrow } from '../ui/Bits';
import { Mark } from '../ui/Mark';
import { Page } from '../ui/Page';
import { Failed, Nothing, Waiting } from '../ui/State';
import { Bar } from './Bar';
import { useAction, useLoad, untouched } from './load';
import { type Entry, MENU } from './menu';
import { useRoute } from './router';
import { type Desk, DeskContext } from './session';

// Where the program sends a browser back to.
const ALSO: Record<string, string> = { me: 'account', problem: 'account' };

export default function Shell({ session, me, reload }: { session: Session; me: Me; reload: () => Promise<void> }) {
  const { t } = useWords();
  const route = useRoute();
  const narrow = useNarrow();
  const [open, setOpen] = useState(false);
  const may = useCallback((capability: string) => capability === 'self' || me.may.includes(capability), [me]);
  const entries = useMemo(() => MENU.filter((entry) => may(entry.needs) || (entry.or !== undefined && may(entry.or))), [may]);
  const here = entries.find((entry) => entry.page === (ALSO[route.page] ?? route.page)) ?? (route.page === '' ? entries[0] : undefined);
  const overview = useLoad<Overview>(may('overview.read') ? (signal) => early('/overview', () => get('/overview', undefined, signal)) : null, ['overview', me.id], here?.page === 'overview' ? 10_000 : 30_000);
  useIdle(session.idle_seconds ?? 0, reload);
  useEffect(() => setOpen(false), [route]);

  const desk: Desk = { session, me, may, reload, overview };
  const View = here?.view;
  return (
    <DeskContext.Provider value={desk}>
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>{t('shell.skip')}</a>
      <div className="shell">
        {!narrow && <Nav entries={entries} here={here} session={session} me={me} />}
        <div style={{ minWidth: 0 }}>
          <Bar menu={narrow ? <Button type="text" icon={<MenuOutlined />} aria-label={t('shell.menu')} aria-expanded={open} onClick={() => setOpen(true)} /> : null} />
          <Banners />
          <main id="main" tabIndex={-1}>
            {View ? (
              <Suspense fallback={<Waiting lines={8} />}>
                <View key={here?.page} />
              </Suspense>
            ) : (
              <Page title={t('shell.nowhere')} purpose={t('shell.nowhere.why')}><Nothing title={t('shell.nowhere.menu')}><div style={{ marginTop: 12 }}><Button type="primary" href="#/">{t('lost.back')}</Button></div></Nothing></Page>
            )}
          </main>
        </div>
      </div>
      <Drawer open={narrow && open} placement="left" size={260} onClose={() => setOpen(false)} closable={false} styles={{ body: { padding: 0, background: 'var(--nav)' } }} title={null} aria-label={t('shell.menu')}>
        <Nav entries={entries} here={here} session={session} me={me} />
      </Drawer>
    </DeskContext.Provider>
  );
}

/** When the session must have ended by lack of use, ask; a screen left alone then shows the sign-in again. */
function useIdle(idle: number, reload: () => Promise<void>): void {
  useEffect(() => {
    if (!idle) return undefined;
    const timer = window.setInterval(() => { if (untouched() > idle * 1000) void reload(); }, 60_000);
    return () => window.clearInterval(timer);
  }, [idle, reload]);
}

function Nav({ entries, here, session, me }: { entries: Entry[]; here: Entry | undefined; session: Session; me: Me }) {
  const { t } = useWords();
  const groups = [...new Set(entries.map((entry) => entry.group))];
  return (
    <nav className="nav" aria-label={t('shell.menu')}>
      <a className="brand" href="#/">
        <Mark />
        <span>
          <b>{t('brand')}</b>
          <small>{session.unit.origin}</small>
        </span>
      </a>
      {groups.map((group) => (
        <div key={group}>
          <h2>{t(group)}</h2>
          {entries.filter((entry) => entry.group === group).map((entry) => (
            <a key={entry.page} className="item" href={`#/${entry.page}`} aria-current={entry === here ? 'page' : undefined}>
              {entry.icon}
              <span>{t(entry.title)}</span>
              {entry.page === 'approvals' && me.waiting > 0 && <span className="badge" title={t('shell.waiting', { n: me.waiting })}>{me.waiting}</span>}
            </a>
          ))}
        </div>
      ))}
      <p className="foot">{t('shell.version', { v: session.version })} · <a href="/licences.txt" target="_blank" rel="noreferrer">{t('shell.licences')}</a></p>
    </nav>
  );
}

function Banners() {
  const { t, code, pick } = useWords();
  const end = useAction();
  return (
    <DeskContext.Consumer>
      {(desk) => {
        const own = desk?.me.emergency;
        const glass = own ? [] : desk?.overview.data?.notices.filter((n) => n.code === 'break-glass') ?? [];
        return (
          <>
            {own && (
              <div className="banner err" role="alert">
                <span>{t('glass.own', { role: code('role', own.role), at: `${show(parse(own.until), 'clock')} ${ZONE_NAME}` })}</span>
                <a href="#/approvals?show=mine" style={{ marginLeft: 'auto' }}>{t('glass.see')}</a>
                <Button size="small" loading={end.busy} onClick={() => void end.run(async () => { await post('/break-glass/end', {}); await desk.reload(); })}>{t('glass.end')}</Button>
              </div>
            )}
            {end.problem && <Failed problem={end.problem} />}
            {glass.map((n) => (
              <div key={`${n.since}`} className="banner err" role="alert">
                <span>{t('glass.banner')}</span>
                <span className="small" style={{ fontWeight: 400 }}>{pick(n.text)}</span>
                <a href="#/approvals?show=all" style={{ marginLeft: 'auto' }}>{t('glass.see')}</a>
              </div>
            ))}
            {desk?.session.unit.demo && <div className="banner demo">{t('shell.demo')}</div>}
          </>
        );
      }}
    </DeskContext.Consumer>
  );
}
