// What `src/early.ts` has asked for already, each answer to be taken once and soon.

export interface Early { began: number; answers: Record<string, Promise<unknown>> }
declare global {
  interface Window { weirEarly?: Early }
}

/** An answer that is older than this, in milliseconds, is asked for anew. */
const FRESH = 5000;
// Too late for it now: nothing is asked for twice.
window.weirEarly ??= { began: 0, answers: {} };

/** The early answer where there is one, else what `ask` gets. */
export function early<T>(path: string, ask: () => Promise<T>): Promise<T> {
  const { began, answers } = window.weirEarly ?? { began: 0, answers: {} };
  const found = answers[path];
  delete answers[path];
  if (!found || performance.now() - began > FRESH) return ask();
  return (found as Promise<T>).catch(ask);
}
