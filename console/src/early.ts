// Runs before the console itself has arrived: asks who is here, and for what the first page shows, while the larger files are still on their way.
// Whoever wants an answer takes it from api/early.ts; what failed here is asked for again there, and told as ever.
import type { Early } from './api/early';

interface Who { account?: { may: string[] } | null; next?: string | null }

async function ask(path: string): Promise<unknown> {
  const lang = localStorage.getItem('weir-lang');
  const response = await fetch(`/api/v1${path}`, { headers: { Accept: 'application/json', ...(lang ? { 'Accept-Language': lang } : {}) }, credentials: 'same-origin', cache: 'no-store' });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

function begin(): Early {
  const answers: Early['answers'] = {};
  const put = (path: string): Promise<unknown> => {
    const answer = ask(path);
    answers[path] = answer;
    // Not lost: who takes it asks again.
    answer.catch(() => undefined);
    return answer;
  };
  void put('/session').then((found) => {
    const who = found as Who;
    if (who.next || !who.account?.may.includes('overview.read')) return;
    put('/overview');
    if (/^(#\/?(overview.*)?)?$/.test(window.location.hash)) put('/overview/series?minutes=60');
  }, () => undefined);
  return { began: performance.now(), answers };
}

window.weirEarly ??= begin();
