// Pages that an address may name: after `#/`, or typed as a path; `/*` stands for one more part. To every other path the server answers 404, and it has
// the same list (crates/web/src/console.rs); a test there reads this file.
export const PAGES = [
  'overview', 'lookup', 'records', 'sources', 'sources/*', 'approvals', 'approvals/*', 'ledger', 'users', 'settings', 'account', 'me', 'problem/*', 'welcome',
] as const;

/** A page of the menu. */
export type PageName = Exclude<(typeof PAGES)[number], `${string}/*` | 'me' | 'welcome'>;

/** Is there a page at this path? */
export function isPage(path: string): boolean {
  const parts = path.replace(/^\//, '').replace(/\/$/, '').split('/');
  if (parts.length === 1 && (parts[0] === '' || parts[0] === 'index.html')) return true;
  const [first = '', second] = parts;
  return parts.length <= 2 && PAGES.some((page) => page === (second === undefined ? first : second && `${first}/*`));
}
