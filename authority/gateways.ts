/**
 * The gateways an authority has certified (protocol.md §7). Certificates hold seven days, because tags cannot check
 * revocation: a gateway is certified again each week, and a revocation need not be repeated once every certificate that
 * it ends has run out.
 *
 *     gateway/<gatewayId>   JSON {name, publicKey, toDay, revokedFromMs, revocation?}
 */
import { z } from 'zod';
import type { PostedEntry } from '../courier/courier.js';
import { fromHex, toHex } from '../protocol/bytes.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import { MAX_CERTIFICATE_DAYS } from '../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../protocol/keys.js';
import { openRevocation } from '../protocol/session/revocation.js';
import type { Log } from '../protocol/log.js';
import type { AuthorityEntries } from './entries.js';
import { certifyGateway, revokeGateway } from './issuer.js';
import { keyedLock } from './credentials/keyed-lock.js';
import type { KeyedLock } from './credentials/keyed-lock.js';
import type { OwnWords } from './records/own-words.js';
import type { RecordStore } from './records/records.js';
import { REVOCATION_STATES, revocationAnswers } from './revocation-answers.js';
import type { RevocationAnswers, RevocationState } from './revocation-answers.js';
import type { StatementBook } from './statement-book.js';

const row = z.object({
  name: z.string(),
  publicKey: z.string(),
  toDay: z.int(),
  revokedFromMs: z.int().nullable(),
  /** What the ledger said to it; absent where it is in the log, or an earlier version posted it. */
  revocation: z.enum(REVOCATION_STATES).optional(),
});

/** publicKey in hex; toDay is the last day of the newest certificate. */
export type CertifiedGateway = Readonly<z.infer<typeof row>>;

export interface GatewayRegister {
  /** Throws `permission` for a gateway that was revoked: a new one needs a new key. */
  certify(publicKey: Uint8Array, name: string, fromDay: number): Promise<Uint8Array>;
  /** Throws `not-found` for a gateway this authority never certified. A gateway revoked before keeps the earlier time. */
  revoke(gatewayId: Uint8Array, fromMs: number): Promise<void>;
  /** What the ledger said to its revocation by the time it answered or the signal aborted. */
  answered(gatewayId: Uint8Array, signal: AbortSignal): Promise<RevocationState>;
  /** Posts again, once, the revocations that an earlier run left without an answer. Never rejects. */
  resume(): Promise<void>;
  list(): Promise<readonly CertifiedGateway[]>;
  /** Gives a gateway its name; does nothing for one that is not known, or has it. */
  name(publicKey: Uint8Array, name: string): Promise<void>;
  /** Takes up what the log has and this register does not: how many gateways it knows more of now. */
  learn(words: Pick<OwnWords, 'certificates' | 'revocations'>): Promise<number>;
  /** Drops the revocations of gateways whose last certificate ended before `today`. */
  forgetRevocations(today: number): Promise<void>;
  /** Waits for no answer any more. */
  close(): void;
}

export interface GatewayRegisterDeps {
  readonly issuer: Signer;
  readonly records: RecordStore;
  readonly book: StatementBook;
  readonly entries: AuthorityEntries;
  readonly log: Log;
}

interface RegisterParts extends GatewayRegisterDeps {
  readonly lock: KeyedLock;
  readonly answers: RevocationAnswers;
}

export function gatewayRegister(deps: GatewayRegisterDeps): GatewayRegister {
  const lock = keyedLock();
  const answers = revocationAnswers(deps.log);
  const parts = { ...deps, lock, answers };
  return {
    certify: (publicKey, name, fromDay) =>
      lock.run(toHex(partyIdOf(publicKey)), () => certify(publicKey, name, fromDay, deps)),
    revoke: (gatewayId, fromMs) => lock.run(toHex(gatewayId), () => revoke(gatewayId, fromMs, parts)),
    answered: async (gatewayId, signal) => {
      await answers.settled(gatewayId, signal);
      return (await read(deps.records, gatewayId))?.revocation ?? 'logged';
    },
    resume: resumeOnce(parts),
    list: () => list(deps.records),
    name: (publicKey, name) =>
      lock.run(toHex(partyIdOf(publicKey)), () => rename(partyIdOf(publicKey), name, deps)),
    learn: (words) => learn(words, lock, deps),
    forgetRevocations: async (today) => {
      const gateways = await list(deps.records);
      const ended = gateways.filter(({ revokedFromMs, toDay }) => revokedFromMs !== null && toDay < today);
      for (const { publicKey } of ended) await deps.book.forgetRevocation(partyIdOf(fromHex(publicKey)));
    },
    close: () => answers.close(),
  };
}

async function certify(
  publicKey: Uint8Array,
  name: string,
  fromDay: number,
  { issuer, records, entries }: GatewayRegisterDeps,
): Promise<Uint8Array> {
  const gatewayId = partyIdOf(publicKey);
  const known = await read(records, gatewayId);
  if (known && known.revokedFromMs !== null) {
    throw new FirebreakError('permission', `gateway ${toHex(gatewayId)} was revoked; give it a new key`);
  }
  const certificate = certifyGateway(issuer, publicKey, fromDay);
  await entries.gatewayEnrolled(certificate);
  const toDay = Math.max(known?.toDay ?? 0, fromDay + MAX_CERTIFICATE_DAYS - 1);
  await write(records, { name, publicKey: toHex(publicKey), toDay, revokedFromMs: null });
  return certificate;
}

async function revoke(gatewayId: Uint8Array, fromMs: number, parts: RegisterParts): Promise<void> {
  const { issuer, records, book, entries } = parts;
  const known = await read(records, gatewayId);
  if (!known) throw new FirebreakError('not-found', `gateway ${toHex(gatewayId)} was never certified here`);
  const revokedFromMs = Math.min(known.revokedFromMs ?? fromMs, fromMs);
  const revocation = revokeGateway(issuer, gatewayId, revokedFromMs);
  const posted = await entries.gatewayRevoked(revocation);
  await book.addRevocation(gatewayId, revocation);
  await write(records, { ...known, revokedFromMs, revocation: 'waits' });
  expectAnswer(gatewayId, posted, parts);
}

function expectAnswer(
  gatewayId: Uint8Array,
  posted: PostedEntry,
  { records, lock, answers }: RegisterParts,
): void {
  answers.expect(gatewayId, posted, (revocation) =>
    lock.run(toHex(gatewayId), async () => {
      const known = await read(records, gatewayId);
      if (known) await write(records, { ...known, revocation });
    }),
  );
}

function resumeOnce(parts: RegisterParts): () => Promise<void> {
  let isDone = false;
  let isSaid = false;
  return async () => {
    if (isDone) return;
    try {
      await postWaiting(parts);
      isDone = true;
    } catch (error) {
      const what = 'revocations that wait for the ledger cannot be sent; trying again';
      if (!isSaid) parts.log.error(what, { why: asError(error).message });
      isSaid = true;
    }
  };
}

/** The log may then have one twice, the same both times. */
async function postWaiting(parts: RegisterParts): Promise<void> {
  const { issuer, records, entries, lock, answers } = parts;
  for (const { publicKey } of await list(records)) {
    const gatewayId = partyIdOf(fromHex(publicKey));
    await lock.run(toHex(gatewayId), async () => {
      const known = await read(records, gatewayId);
      const isLeft = known?.revocation === 'waits' && !answers.isUnderWay(gatewayId);
      if (!isLeft || known.revokedFromMs === null) return;
      const revocation = revokeGateway(issuer, gatewayId, known.revokedFromMs);
      expectAnswer(gatewayId, await entries.gatewayRevoked(revocation), parts);
    });
  }
}

async function learn(
  { certificates, revocations }: Pick<OwnWords, 'certificates' | 'revocations'>,
  lock: KeyedLock,
  deps: GatewayRegisterDeps,
): Promise<number> {
  const learned = new Set<string>();
  const take = async (gatewayId: Uint8Array, isNews: () => Promise<boolean>): Promise<void> => {
    const id = toHex(gatewayId);
    if (await lock.run(id, isNews)) learned.add(id);
  };
  for (const certificate of certificates)
    await take(partyIdOf(certificate.gatewayPublicKey), () => learnCertificate(certificate, deps));
  for (const revocation of revocations) {
    const { gatewayId, fromMs } = openRevocation(revocation, deps.issuer.publicKey);
    await take(gatewayId, () => learnRevocation({ gatewayId, fromMs, revocation }, deps));
  }
  return learned.size;
}

async function rename(gatewayId: Uint8Array, name: string, { records }: GatewayRegisterDeps): Promise<void> {
  const known = await read(records, gatewayId);
  if (known && known.name !== name) await write(records, { ...known, name });
}

/** Whether the register had none that holds for as long. */
async function learnCertificate(
  { gatewayPublicKey, toDay }: OwnWords['certificates'][number],
  { records }: GatewayRegisterDeps,
): Promise<boolean> {
  const gatewayId = partyIdOf(gatewayPublicKey);
  const known = await read(records, gatewayId);
  if (known && known.toDay >= toDay) return false;
  const name = toHex(gatewayId).slice(0, 8);
  const fresh = { name, publicKey: toHex(gatewayPublicKey), revokedFromMs: null };
  await write(records, { ...(known ?? fresh), toDay });
  return true;
}

/** Whether it ends a certificate of the register that no revocation had ended. */
async function learnRevocation(
  of: { readonly gatewayId: Uint8Array; readonly fromMs: number; readonly revocation: Uint8Array },
  { records, book }: GatewayRegisterDeps,
): Promise<boolean> {
  const { gatewayId, fromMs, revocation } = of;
  const known = await read(records, gatewayId);
  if (!known || known.revokedFromMs !== null) return false;
  await book.addRevocation(gatewayId, revocation);
  await write(records, { ...known, revokedFromMs: fromMs });
  return true;
}

const keyOf = (gatewayId: Uint8Array) => `gateway/${toHex(gatewayId)}`;
const decodeRow = (value: Uint8Array) => row.parse(JSON.parse(Buffer.from(value).toString('utf8')));

async function read(records: RecordStore, gatewayId: Uint8Array): Promise<CertifiedGateway | undefined> {
  const value = await records.get(keyOf(gatewayId));
  return value && decodeRow(value);
}

async function write(records: RecordStore, gateway: CertifiedGateway): Promise<void> {
  const key = keyOf(partyIdOf(fromHex(gateway.publicKey)));
  await records.write([[key, new Uint8Array(Buffer.from(JSON.stringify(gateway), 'utf8'))]]);
}

async function list(records: RecordStore): Promise<CertifiedGateway[]> {
  const gateways: CertifiedGateway[] = [];
  for await (const [, value] of records.list('gateway/')) gateways.push(decodeRow(value));
  return gateways;
}
