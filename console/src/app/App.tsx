// Theme, language and session around everything; decides between outside (sign-in, welcome) and inside (the desk).
import { App as AntApp, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { Suspense, lazy, useCallback, useEffect, useMemo, useState } from 'react';
import { get, onAgain, onEnded, setCsrf } from '../api/client';
import { early } from '../api/early';
import type { Problem, Session } from '../api/types';
import { WordsContext, wordsOf } from '../i18n';
import { themeOf } from '../theme/antd';
import { Failed, Waiting } from '../ui/State';
import { Lost } from '../pages/outside/Lost';
import { Outside } from '../pages/outside/Outside';
import { problemOf } from './load';
import { nonce } from './nonce';
import { usePrefs } from './prefs';
import { lost, useRoute } from './router';

const Shell = lazy(() => import('./Shell'));
const Again = lazy(() => import('./Again'));

export function App() {
  const { lang, dark, still } = usePrefs();
  const words = useMemo(() => wordsOf(lang), [lang]);
  const theme = useMemo(() => themeOf(dark, still), [dark, still]);
  dayjs.locale(lang === 'zh' ? 'zh-cn' : 'en');
  return (
    <WordsContext.Provider value={words}>
      <ConfigProvider locale={lang === 'zh' ? zhCN : enUS} theme={theme} csp={{ nonce }} button={{ autoInsertSpace: false }} wave={{ disabled: true }}>
        <AntApp component={false}>
          {lost === null ? <Gate /> : <Lost path={lost} />}
        </AntApp>
      </ConfigProvider>
    </WordsContext.Provider>
  );
}

function Gate() {
  const [session, setSession] = useState<Session | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const route = useRoute();
  const reload = useCallback(async () => {
    try {
      const next = await early('/session', () => get<Session>('/session'));
      setCsrf(next.csrf);
      setSession(next);
      setProblem(null);
    } catch (error) {
      setProblem(problemOf(error));
    }
  }, []);
  useEffect(() => {
    onEnded(() => void reload());
    void reload();
  }, [reload]);

  if (!session) {
    return <div style={{ maxWidth: 560, margin: '18vh auto', padding: 16 }}>{problem ? <Failed problem={problem} retry={() => void reload()} /> : <Waiting />}</div>;
  }
  const outside = !session.account || session.next || route.page === 'welcome';
  return (
    <>
      {outside || !session.account ? <Outside session={session} reload={reload} /> : (
        <Suspense fallback={<div style={{ padding: 40 }}><Waiting /></div>}>
          <Shell session={session} me={session.account} reload={reload} />
        </Suspense>
      )}
      <AskAgain />
    </>
  );
}

/** Shows the dialogue for as long as a request waits for a fresh sign-in. */
function AskAgain() {
  const [waits, setWaits] = useState<((done: boolean) => void) | null>(null);
  useEffect(() => onAgain(() => new Promise<boolean>((go) => { setWaits(() => go); })), []);
  if (!waits) return null;
  return <Suspense fallback={null}><Again onDone={(done) => { setWaits(null); waits(done); }} /></Suspense>;
}
