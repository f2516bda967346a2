/** An authority on memory stores, and a tag that asks it for credentials. */
import { createHash } from 'node:crypto';
import { openAuthority, type Authority, type AuthorityDeps } from '../../authority/authority.js';
import type { EntrySink } from '../../authority/entries.js';
import type { Delivery } from '../../courier/deliveries.js';
import { memoryDayKeyStore } from '../../authority/days/day-key-store-memory.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import { memoryWorkedDay } from '../../authority/days/worked-day.js';
import { asEpoch, asUnixMs, type TagNumber, type UnixMs } from '../../protocol/brands.js';
import type { Clock } from '../../protocol/clock.js';
import { openCredentialPack, type CredentialPack } from '../../protocol/tag/credential-pack.js';
import { signCredentialRequest, type CredentialRequest } from '../../protocol/tag/credential-request.js';
import type { Credential } from '../../protocol/tag/credential.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { fastSigner, type Signer } from '../../protocol/crypto/ed25519.js';
import { encodeCredentialRequest } from '../../protocol/tag/credential-request.js';
import { epochSeed, issuerIdOf } from '../../protocol/keys.js';
import type { Log, LogFields } from '../../protocol/log.js';
import { sealReport } from '../../protocol/tag/report.js';
import { DAY_SECONDS, EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';

export const TODAY = 20_000;
export const RETENTION_DAYS = 21;

/** 32 bytes that differ for each name. */
export const secretOf = (name: string) => new Uint8Array(createHash('sha256').update(name).digest());
export const issuer = fastSigner(secretOf('issuer'));

export class SteppedClock implements Clock {
  #nowMs: UnixMs = asUnixMs(TODAY * DAY_SECONDS * 1000);

  nowMs(): UnixMs {
    return this.#nowMs;
  }

  /** `offsetSeconds` after the midnight that begins `day`. */
  set(day: number, offsetSeconds = 0): void {
    this.#nowMs = asUnixMs((day * DAY_SECONDS + offsetSeconds) * 1000);
  }

  async sleep(): Promise<void> {}
}

export interface Posted {
  readonly type: number;
  readonly timeMs: number;
  readonly payload: Uint8Array;
}

export interface LoggedLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A courier that does this with what is posted, and delivers nothing but what `deliver` says. */
export function courierThat(
  keep: (entries: readonly Posted[]) => Promise<void>,
  deliver: (entry: Posted) => Promise<Delivery> = () => new Promise<never>(() => {}),
): EntrySink {
  return {
    post: async (entries) => {
      await keep(entries);
      return entries.map((entry) => {
        const delivery = deliver(entry);
        return { delivered: () => delivery };
      });
    },
  };
}

/** What an authority did to the world outside it. */
export interface World {
  readonly clock: SteppedClock;
  readonly posted: Posted[];
  readonly retained: Map<string, Uint8Array>;
  readonly logged: LoggedLine[];
  readonly deps: AuthorityDeps;
  online: boolean;
  /** What the ledger answers to notices; by default that it has them. */
  ledger: (notice: Posted) => Promise<Delivery>;
  /** What the authority asked to be told when the broker is back. */
  back(): void;
  /** Sets the clock to a day that may be far from the last, and says that it is right. */
  leapTo(day: number, offsetSeconds?: number): Promise<void>;
}

export function newWorld(overrides: Partial<AuthorityDeps> = {}): World {
  const clock = new SteppedClock();
  const posted: Posted[] = [];
  const retained = new Map<string, Uint8Array>();
  const logged: LoggedLine[] = [];
  const onlineListeners: (() => void)[] = [];
  const note = (level: LoggedLine['level']) => (message: string, fields?: LogFields) =>
    void logged.push({ level, message, fields });
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  const uplink = {
    publishRetained: async (topic: string, payload: Uint8Array) => {
      if (!world.online) throw new Error('no broker');
      retained.set(topic, payload);
    },
    onOnline: (listener: () => void) => void onlineListeners.push(listener),
  };
  const courier = courierThat(
    async (entries) => void posted.push(...entries),
    (entry) => (entry.type === ENTRY_TYPE.notices ? world.ledger(entry) : new Promise(() => {})),
  );
  const stores = { dayKeys: memoryDayKeyStore(), records: memoryRecords(), workedDay: memoryWorkedDay() };
  const deps = {
    issuer,
    clock,
    log,
    uplink,
    courier,
    retentionDays: RETENTION_DAYS,
    ...stores,
    ...overrides,
  };
  const back = () => {
    world.online = true;
    for (const listener of onlineListeners) listener();
  };
  const leapTo = async (day: number, offsetSeconds = 0) => {
    clock.set(day, offsetSeconds);
    await deps.workedDay.write(day);
  };
  const ledger = async (): Promise<Delivery> => ({ index: posted.length });
  const world: World = { clock, posted, retained, logged, deps, online: true, ledger, back, leapTo };
  return world;
}

export async function newAuthority(
  overrides: Partial<AuthorityDeps> = {},
): Promise<{ authority: Authority; world: World }> {
  const world = newWorld(overrides);
  return { authority: await openAuthority(world.deps), world };
}

/** Writes into the registry that these tags are enrolled, with credentials of `day`. */
export async function enrolled(world: World, tags: readonly TagNumber[], day = TODAY): Promise<void> {
  const hex = (tag: TagNumber) => tag.toString(16).padStart(12, '0');
  const dayHex = day.toString(16).padStart(8, '0');
  const rows = tags.flatMap((tag) => [
    [`number/${hex(tag)}`, new Uint8Array(0)] as const,
    [`days/${hex(tag)}/${dayHex}`, secretOf(`keys of ${tag}`)] as const,
  ]);
  await world.deps.records.write(rows);
}

/** A tag whose secret does not ratchet: enough to ask with. */
export class AskingTag {
  readonly #name: string;
  readonly reply: ReturnType<typeof x25519KeyPair>;

  constructor(name: string, replyName = name) {
    this.#name = name;
    this.reply = x25519KeyPair(secretOf(`reply of ${replyName}`));
  }

  epochSigner(epoch: number): Signer {
    return fastSigner(epochSeed(secretOf(this.#name), asEpoch(epoch)));
  }

  request(firstDay: number, days: number): CredentialRequest {
    const first = firstEpochOfDay(firstDay);
    const epochs = Array.from({ length: days * EPOCHS_PER_DAY }, (_, index) => first + index);
    const epochPublicKeys = epochs.map((epoch) => this.epochSigner(epoch).publicKey);
    return { replyPublicKey: this.reply.publicKey, firstDay, days, epochPublicKeys };
  }

  firstRequest(firstDay: number, days: number): Uint8Array {
    return signCredentialRequest(this.epochSigner(firstEpochOfDay(firstDay)), this.request(firstDay, days));
  }

  open(sealed: Uint8Array): CredentialPack {
    return openCredentialPack(sealed, this.reply.secretKey, issuer.publicKey);
  }

  credential(pack: CredentialPack, epoch: number): Credential {
    const index = epoch - firstEpochOfDay(pack.firstDay);
    const day = pack.days[Math.floor(index / EPOCHS_PER_DAY)];
    const kept = day?.epochs[index % EPOCHS_PER_DAY];
    if (!kept) throw new Error(`no credential of epoch ${epoch} in the pack`);
    const { publicKey } = this.epochSigner(epoch);
    return {
      epoch: asEpoch(epoch),
      ephId: kept.ephId,
      epochPublicKey: publicKey,
      signature: kept.credentialSignature,
    };
  }

  /** A request of kind 3, signed in the first epoch of `atDay`. */
  renewal(pack: CredentialPack, atDay: number, firstDay: number, days: number): Uint8Array {
    return this.report(pack, atDay, 3, encodeCredentialRequest(this.request(firstDay, days)));
  }

  report(pack: CredentialPack, atDay: number, kind: 1 | 3, plaintext: Uint8Array): Uint8Array {
    const epoch = firstEpochOfDay(atDay);
    const statement = pack.days[atDay - pack.firstDay]?.statement;
    if (!statement) throw new Error(`no day ${atDay} in the pack`);
    return sealReport({
      kind,
      issuerId: issuerIdOf(issuer.publicKey),
      day: atDay,
      sealingPublicKey: statement.sealingPublicKey,
      credential: this.credential(pack, epoch),
      gatewayId: new Uint8Array(16),
      nonce: new Uint8Array(16),
      plaintext,
      signer: this.epochSigner(epoch),
    });
  }
}
