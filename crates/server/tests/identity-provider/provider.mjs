// A real OpenID provider on loopback: says its port, reads the callback address, then signs everybody in as the account of its argument.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const [, , subject = "subject-1"] = process.argv;
let handle = (_request, response) => response.writeHead(503).end();
const server = createServer((request, response) => handle(request, response));
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));

for await (const callback of createInterface({ input: process.stdin })) {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "netwatch", client_secret: "the-secret-of-the-tests", redirect_uris: [callback] }],
    scopes: ["openid", "profile", "email", "groups"],
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username"],
      email: ["email", "email_verified"],
      groups: ["groups"],
    },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: "Grace H.",
        preferred_username: "Grace",
        email: "grace@example.org",
        email_verified: true,
        groups: ["staff", "net"],
      }),
    }),
    cookies: { keys: ["a key of the tests"] },
  });
  const answer = provider.callback();
  handle = async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === "login") {
      return provider.interactionFinished(request, response, { login: { accountId: subject } });
    }
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope("openid profile email groups");
    const consent = { grantId: await grant.save() };
    return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  };
  process.stdout.write("ready\n");
}
process.exit(0);
