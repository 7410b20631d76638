// Who is signed in, for all pages.
import { createContext, useContext } from 'react';
import type { Me, Overview, Problem, Session } from '../api/types';

export interface Desk {
  session: Session;
  me: Me;
  may: (capability: string) => boolean;
  reload: () => Promise<void>;
  overview: { data: Overview | null; problem: Problem | null; busy: boolean; reload: () => void };
}
export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('no desk');
  return desk;
}
