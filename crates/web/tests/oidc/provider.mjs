// A real OpenID provider (npm oidc-provider) over TLS, for the tests of the desk. Usage: node provider.mjs MODULES CERTIFICATE KEY
// It prints its issuer. Who comes to /auth is signed in as the person that /test/person names. /test/mode makes what it gives go wrong.
import { createServer } from "node:https";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [, , modules, certificate, key] = process.argv;
const { default: Provider } = await import(pathToFileURL(join(modules, "oidc-provider/lib/index.js")));

let issuer, provider, redirect, algorithm = "ES256", method = "client_secret_basic", person = "alice", mode = "right", kept;
let keys = 0, asked = {};

// By way of a PEM text: a key object that is exported while the job that made it is collected stops Node 20 for ever (both want its lock).
function fresh() {
  const text = { publicKeyEncoding: { type: "spki", format: "pem" }, privateKeyEncoding: { type: "pkcs8", format: "pem" } };
  const curve = { namedCurve: "P-256" }, bits = { modulusLength: 2048 };
  const make = (kind, options, alg) => ({
    ...createPrivateKey(generateKeyPairSync(kind, { ...options, ...text }).privateKey).export({ format: "jwk" }), kid: `${alg}-${++keys}`, use: "sig", alg,
  });
  return { keys: [make("ec", curve, "ES256"), make("rsa", bits, "RS256")] };
}

let jwks = fresh();

function start() {
  provider = new Provider(issuer, {
    jwks,
    clients: [{
      client_id: "weir", client_secret: "a secret: with / signs", redirect_uris: [redirect], grant_types: ["authorization_code"],
      response_types: ["code"], id_token_signed_response_alg: algorithm, token_endpoint_auth_method: method,
    }],
    clientAuthMethods: [method],
    cookies: { keys: ["only for tests"] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    // The desk's clock is moved by the tests, some hours ahead.
    ttl: { IdToken: 86_400 },
    interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
  });
}

// The ID token on its way out, as `mode` wants it.
function bend(text) {
  const answer = JSON.parse(text);
  if (!answer.id_token) return text;
  const [head, body, signature] = answer.id_token.split(".");
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = JSON.parse(Buffer.from(body, "base64url"));
  if (mode === "signature") answer.id_token = `${head}.${body}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  if (mode === "none") answer.id_token = `${encode({ alg: "none" })}.${body}.`;
  if (mode === "subject") answer.id_token = `${head}.${encode({ ...claims, sub: "somebody-else" })}.${signature}`;
  if (mode === "replay") answer.id_token = kept;
  if (mode === "right") kept = answer.id_token;
  return JSON.stringify(answer);
}

const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (req, res) => {
  const url = new URL(req.url, issuer);
  asked[url.pathname] = (asked[url.pathname] ?? 0) + 1;
  if (url.pathname.startsWith("/test/")) {
    const value = url.searchParams.get("is");
    switch (url.pathname.slice(6)) {
      case "start": redirect = value; start(); break;
      case "algorithm": algorithm = value; start(); break;
      case "method": method = value; start(); break;
      case "person": person = value; break;
      case "mode": mode = value; break;
      case "rotate": jwks = fresh(); start(); break;
      case "asked": return res.end(String(asked[value] ?? 0));
    }
    return res.end();
  }
  if (mode === "down") return res.writeHead(500).end();
  if (mode === "large" && url.pathname === "/.well-known/openid-configuration") return res.end("x".repeat(1 << 20));
  if (url.pathname.startsWith("/login/")) {
    return provider.interactionFinished(req, res, { login: { accountId: person } }, { mergeWithLastSubmission: false });
  }
  if (url.pathname === "/token") {
    const end = res.end.bind(res);
    res.end = (text) => {
      const bent = bend(String(text));
      res.setHeader("content-length", Buffer.byteLength(bent));
      return end(bent);
    };
  }
  provider.callback()(req, res);
});

server.listen(0, "127.0.0.1", () => {
  issuer = `https://localhost:${server.address().port}`;
  console.log(`issuer ${issuer}`);
});
