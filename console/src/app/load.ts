// Loading and polling. Polls rest while the page is hidden and after ten minutes without a touch: an abandoned desk must end by itself.
import { useCallback, useEffect, useRef, useState } from 'react';
import { Failure } from '../api/client';
import type { Problem } from '../api/types';

const REST_AFTER = 10 * 60_000;
let touched = performance.now();
for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) {
  window.addEventListener(event, () => { touched = performance.now(); }, { passive: true, capture: true });
}
export const resting = (): boolean => document.hidden || performance.now() - touched > REST_AFTER;
/** Milliseconds since somebody last touched this page. */
export const untouched = (): number => performance.now() - touched;

export function problemOf(error: unknown): Problem {
  if (error instanceof Failure) return error.problem;
  return { type: 'urn:weir:problem:console', title: '', status: 0, detail: error instanceof Error ? error.message : String(error), todo: '' };
}

export interface Loaded<T> { data: T | null; problem: Problem | null; busy: boolean; reload: () => void }

export function useLoad<T>(load: ((signal: AbortSignal) => Promise<T>) | null, deps: unknown[], every?: number): Loaded<T> {
  const [state, setState] = useState<{ data: T | null; problem: Problem | null; busy: boolean }>({ data: null, problem: null, busy: load !== null });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const known = useRef<string>('');
  const key = JSON.stringify(deps);

  useEffect(() => {
    const call = latest.current;
    if (!call) return undefined;
    const stop = new AbortController();
    const fresh = known.current !== key;
    known.current = key;
    setState((old) => ({ data: fresh ? null : old.data, problem: fresh ? null : old.problem, busy: true }));
    call(stop.signal).then(
      (data) => { if (!stop.signal.aborted) setState({ data, problem: null, busy: false }); },
      (error: unknown) => { if (!stop.signal.aborted) setState((old) => ({ data: old.data, problem: problemOf(error), busy: false })); },
    );
    return () => stop.abort();
  }, [key, turn, load === null]);

  useEffect(() => {
    if (!every || load === null) return undefined;
    const tick = window.setInterval(() => { if (!resting()) setTurn((n) => n + 1); }, every);
    const seen = (): void => { if (!document.hidden) setTurn((n) => n + 1); };
    document.addEventListener('visibilitychange', seen);
    return () => {
      window.clearInterval(tick);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [every, load === null]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

/** One action at a time, with its failure kept for showing. */
export function useAction(): { busy: boolean; problem: Problem | null; run: (work: () => Promise<void>) => Promise<boolean>; clear: () => void } {
  const [state, setState] = useState<{ busy: boolean; problem: Problem | null }>({ busy: false, problem: null });
  const run = useCallback(async (work: () => Promise<void>): Promise<boolean> => {
    setState({ busy: true, problem: null });
    try {
      await work();
      setState({ busy: false, problem: null });
      return true;
    } catch (error) {
      setState({ busy: false, problem: problemOf(error) });
      return false;
    }
  }, []);
  const clear = useCallback(() => setState({ busy: false, problem: null }), []);
  return { ...state, run, clear };
}
