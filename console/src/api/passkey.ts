// Passkeys: JSON of the program to what `navigator.credentials` takes, and back (WebAuthn Level 3, section 5.1.8 to 5.1.10).
// By hand and not by `parse…FromJSON`, because browsers in use lack it.

export function toBytes(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/').padEnd(Math.ceil(text.length / 4) * 4, '='));
  const out = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at += 1) out[at] = plain.charCodeAt(at);
  return out.buffer;
}

export function toText(bytes: ArrayBuffer): string {
  let plain = '';
  for (const byte of new Uint8Array(bytes)) plain += String.fromCharCode(byte);
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

type Json = Record<string, unknown>;

/** Some servers wrap the options once more. */
function inner(options: unknown): Json {
  const json = options as Json;
  return (json.publicKey as Json | undefined) ?? json;
}

function listed(list: unknown): PublicKeyCredentialDescriptor[] {
  return ((list as Json[] | undefined) ?? []).map((entry) => ({
    type: 'public-key',
    id: toBytes(String(entry.id)),
    transports: entry.transports as AuthenticatorTransport[] | undefined,
  }));
}

export const possible = (): boolean => typeof window !== 'undefined' && 'PublicKeyCredential' in window && window.isSecureContext;

export async function create(options: unknown): Promise<unknown> {
  const json = inner(options);
  const user = json.user as Json;
  const made = (await navigator.credentials.create({
    publicKey: {
      ...(json as unknown as PublicKeyCredentialCreationOptions),
      challenge: toBytes(String(json.challenge)),
      user: { ...(user as unknown as PublicKeyCredentialUserEntity), id: toBytes(String(user.id)) },
      excludeCredentials: listed(json.excludeCredentials),
    },
  })) as PublicKeyCredential | null;
  if (!made) throw new Error('none');
  const response = made.response as AuthenticatorAttestationResponse;
  return {
    id: made.id,
    rawId: toText(made.rawId),
    type: made.type,
    authenticatorAttachment: made.authenticatorAttachment ?? undefined,
    clientExtensionResults: made.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      attestationObject: toText(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
}

export async function use(options: unknown, signal?: AbortSignal): Promise<unknown> {
  const json = inner(options);
  const used = (await navigator.credentials.get({
    signal,
    publicKey: {
      ...(json as unknown as PublicKeyCredentialRequestOptions),
      challenge: toBytes(String(json.challenge)),
      allowCredentials: listed(json.allowCredentials),
    },
  })) as PublicKeyCredential | null;
  if (!used) throw new Error('none');
  const response = used.response as AuthenticatorAssertionResponse;
  return {
    id: used.id,
    rawId: toText(used.rawId),
    type: used.type,
    authenticatorAttachment: used.authenticatorAttachment ?? undefined,
    clientExtensionResults: used.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : undefined,
    },
  };
}
