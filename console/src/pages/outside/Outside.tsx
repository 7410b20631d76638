// Outside the desk: the wall with the unit's name, and sign-in, invitation or the set-up of a second factor beside it.
import type { ReactNode } from 'react';
import type { Session } from '../../api/types';
import { LangButton, ThemeButton } from '../../app/Bar';
import { useRoute } from '../../app/router';
import { useWords } from '../../i18n';
import { Mark, River } from '../../ui/Mark';
import { SignIn } from './SignIn';
import { Welcome } from './Welcome';

export function Outside({ session, reload }: { session: Session; reload: () => Promise<void> }) {
  const { t } = useWords();
  const route = useRoute();
  const welcome = route.page === 'welcome' || session.next === 'enrol';
  return (
    <Frame foot={<><div className="wrap">{session.unit.origin}</div><div>{t('shell.version', { v: session.version })}</div></>}>
      {session.unit.demo && <p className="note" style={{ alignSelf: 'center' }}>{t('shell.demo')}</p>}
      {welcome ? <Welcome session={session} token={route.rest[0] ?? ''} reload={reload} /> : <SignIn session={session} reload={reload} />}
    </Frame>
  );
}

/** The wall, and a page beside it. */
export function Frame({ foot, children }: { foot?: ReactNode; children: ReactNode }) {
  const { t } = useWords();
  return (
    <div className="outside">
      <header className="wall">
        <River />
        <div className="row"><Mark size={38} /><b style={{ fontSize: 18 }}>{t('brand')}</b></div>
        <h1 style={{ position: 'relative' }}>{t('outside.title')}</h1>
        <p className="long" style={{ position: 'relative' }}>{t('outside.lead')}</p>
        <div className="foot">{foot}</div>
      </header>
      <main className="desk" style={{ maxWidth: 'none' }}>
        <div className="tools"><LangButton /><ThemeButton /></div>
        {children}
      </main>
    </div>
  );
}
