// What came of a change of an account.
import type { Changed } from '../../api/types';

export interface Outcome { what: string; changed: Changed }
