// A page: what it is called, what it is for, and its panels.
import { type ReactNode, useEffect, useId } from 'react';
import { useWords } from '../i18n';

export function Page({ title, purpose, actions, children }: { title: string; purpose: string; actions?: ReactNode; children: ReactNode }) {
  const { t } = useWords();
  useEffect(() => {
    document.title = `${title} · ${t('brand')}`;
  }, [title, t]);
  return (
    <>
      <div className="page-head">
        <div className="grow">
          <h1>{title}</h1>
          <p>{purpose}</p>
        </div>
        {actions && <div className="row">{actions}</div>}
      </div>
      <div className="stack">{children}</div>
    </>
  );
}

/** `flush`: its content reaches the edges; `free`: and is not cut off by them, for a table whose head stays in sight. */
export function Panel({ title, aside, flush, free, children }: { title: string; aside?: ReactNode; flush?: boolean; free?: boolean; children: ReactNode }) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside && <div className="aside">{aside}</div>}
      </header>
      <div className={free ? 'body free' : flush ? 'body flush' : 'body'}>{children}</div>
    </section>
  );
}
