// What a page shows while it waits, when it failed, and when there is nothing.
import { Button, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { codeOf } from '../api/client';
import type { Problem } from '../api/types';
import { type Lang, useWords } from '../i18n';
import { Calm } from './Mark';

export function Waiting({ lines = 4 }: { lines?: number }) {
  const { t } = useWords();
  return (
    <div role="status" aria-label={t('state.loading')}>
      <Skeleton active title={false} paragraph={{ rows: lines }} />
    </div>
  );
}

const inLanguage = (text: string, lang: Lang): boolean => /\p{Script=Han}/u.test(text) === (lang === 'zh');

/** Words of a problem: our own where the catalogue has its code, else what the program said. */
export function useProblem(): (problem: Problem) => { title: string; detail: string; todo: string } {
  const { t, lang, has, code, named } = useWords();
  return (problem) => {
    const name = codeOf(problem);
    // The program answers in the language that was asked in; that may have been another one than is read now.
    const said = (prefix: string, text: string): string => (text && (inLanguage(text, lang) || !has(prefix, name)) ? text : code(prefix, name, text));
    return {
      title: has('problem', name) ? code('problem', name) : problem.title || t('problem.other'),
      detail: named(said('problem.detail', problem.detail)),
      todo: named(said('problem.todo', problem.todo)),
    };
  };
}

/** What is wrong with a field, below it. */
export function FieldFailed({ text }: { text: string }) {
  return <span className="err small wrap" role="alert">{text}</span>;
}

/** The same where the program said it. */
export function FieldProblem({ problem }: { problem: Problem }) {
  const { detail, todo } = useProblem()(problem);
  return <FieldFailed text={`${detail} ${todo}`.trim()} />;
}

export function Failed({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const { t } = useWords();
  const { title, detail, todo } = useProblem()(problem);
  return (
    <div className="failed" role="alert">
      <div className="grow">
        <h3>{title}</h3>
        {detail && detail !== title && <p>{detail}</p>}
        {todo && <p className="dim">{todo}</p>}
        {problem.retry_after ? <p className="dim num">{t('problem.retryAfter', { n: problem.retry_after })}</p> : null}
      </div>
      {retry && <Button onClick={retry}>{t('do.retry')}</Button>}
    </div>
  );
}

export function Nothing({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Calm />
      <b>{title}</b>
      {children}
    </div>
  );
}
