/** Who asks: the bearer token of a request, checked before its body is read. */
import type { FastifyRequest } from 'fastify';
import type { Look } from '../looks/access.js';
import { HttpRefusal } from './refusal.js';
import type { ApiServer } from './room.js';
import { bearerOf } from './tokens.js';
import type { Bearer, KnownToken, Role } from './tokens.js';

const BEARER = 'bearer';
const NO_TOKEN = 'whoever asks needs a token, in the header “authorization: Bearer TOKEN”';
const UNKNOWN_TOKEN = 'this token is not known here; one that was just made is known within two seconds';

/** Lets only those with one of these roles at the routes of this scope. `tokens` is asked anew for each request. */
export function requireRole(
  app: ApiServer,
  roles: readonly Role[],
  tokens: () => readonly KnownToken[],
): void {
  app.decorateRequest(BEARER, null);
  app.addHook('onRequest', async (request, reply) => {
    const shown = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const bearer = shown === undefined ? undefined : bearerOf(shown, tokens());
    if (bearer === undefined) {
      void reply.header('www-authenticate', 'Bearer');
      throw new HttpRefusal(401, 'permission', shown === undefined ? NO_TOKEN : UNKNOWN_TOKEN);
    }
    if (!roles.some((role) => bearer.roles.includes(role)))
      throw new HttpRefusal(403, 'permission', `this takes a token with the role ${roles.join(' or ')}`);
    request.setDecorator(BEARER, bearer);
  });
}

/** Who looks is who the token was made for; a question cannot name another. */
export function lookOf(
  request: FastifyRequest,
  asked: { readonly officer?: string; readonly purpose: string },
): Look {
  const bearer = request.getDecorator<Bearer>(BEARER);
  const officer = bearer.officer ?? asked.officer;
  if (officer === undefined) throw new HttpRefusal(400, 'input', 'officer: say who asks; it is recorded');
  if (asked.officer !== undefined && asked.officer !== officer)
    throw new HttpRefusal(403, 'permission', 'this token is for another officer; leave officer out');
  return { officer, purpose: asked.purpose };
}
