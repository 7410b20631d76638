// Every style element gets the page's nonce. antd passes it on in most places, but not where it measures scroll bars or hides overflow.
export const nonce = document.querySelector<HTMLMetaElement>('meta[name=csp-nonce]')?.content ?? '';

const create = document.createElement.bind(document) as typeof document.createElement;
document.createElement = ((name: string, options?: ElementCreationOptions): HTMLElement => {
  const made = create(name, options);
  if (nonce && name.toLowerCase() === 'style') made.nonce = nonce;
  return made;
}) as typeof document.createElement;
