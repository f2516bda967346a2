/**
 * A tag's session at a gateway (protocol.md §7), the tag's side: read the hello and verify it before anything is written,
 * upload reports and await a receipt for each, read notices: also when a report was refused or could not be made, since
 * a warning is worth most when things go wrong. Ends with the epoch, since the next report would carry another credential, and after four minutes.
 * Whatever breaks, the tag keeps what was not receipted.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { openHello } from '../../protocol/session/hello.js';
import type { Hello } from '../../protocol/session/hello.js';
import type { Notice } from '../../protocol/tag/notice.js';
import { reportHash } from '../../protocol/tag/report.js';
import { openTagReceipt } from '../../protocol/session/tag-receipt.js';
import type { TagReceipt } from '../../protocol/session/tag-receipt.js';
import { uploadWrites } from '../../protocol/session/upload.js';
import type { Link } from '../../radio/contract.js';
import { notificationInbox } from './notification-inbox.js';
import type { NotificationInbox } from './notification-inbox.js';
import { readNotices, readRefresh } from './refresh-client.js';
import type { RandomBytes } from '../tag/tag-event.js';

/** What a session needs of a tag. */
export interface SessionTag {
  readonly issuerPublicKey: Uint8Array;
  readonly awaitsPack: boolean;
  readonly random: RandomBytes;
  epoch(): number;
  /**
   * A verified hello; sets the clock. Throws a FirebreakError when the tag has reason not to believe it, anything else when it
   * goes by it and could not save that.
   */
  meet(hello: Hello): void;
  /** The report due, sealed for this session; its plaintext is durable by then. `undefined`: nothing waits. */
  nextReport(hello: Hello): Uint8Array | undefined;
  /** A verified receipt for the report given out last. */
  settle(receipt: TagReceipt): void;
  takePack(sealed: Uint8Array): void;
  readNotices(notices: readonly Notice[]): void;
}

export interface SessionSettings {
  /** Wall ms to wait for the receipt of a report that is uploaded whole. */
  readonly receiptTimeoutMs: number;
  /** Wall ms after which a session is ended, whatever it is doing. */
  readonly limitMs: number;
  readonly maxReports: number;
  readonly withNotices: boolean;
}

/** A gateway ends its sessions after three minutes (gateway/gateway.ts): one that holds on for longer is not honest. */
const SESSION_LIMIT_MS = 240_000;

export const DEFAULT_SESSION: SessionSettings = {
  receiptTimeoutMs: 10_000,
  limitMs: SESSION_LIMIT_MS,
  maxReports: 64,
  withNotices: true,
};

export interface SessionOutcome {
  /** Reports receipted in this session. */
  readonly accepted: number;
  /** Why the session ended early; `undefined`: all that waited was delivered. */
  readonly endedBy: ErrorCode | undefined;
  /** The same in words, where it ended early. */
  readonly why?: string;
}

/** Below an ATT MTU of 128 the session closes; a payload is 3 bytes less. */
const LEAST_PAYLOAD_BYTES = 125;

/**
 * Runs one session to its end and closes the link. What breaks it off is named in the outcome; only a defect rejects.
 * `onEpoch` is told the epoch that the session goes by, once the hello has set the clock.
 */
export async function runGatewaySession(
  link: Link,
  tag: SessionTag,
  settings: SessionSettings = DEFAULT_SESSION,
  signal?: AbortSignal,
  onEpoch: (epoch: number) => void = () => {},
): Promise<SessionOutcome> {
  const progress = { accepted: 0 };
  const inbox = notificationInbox();
  const onAbort = (): void => void link.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await within(settings.limitMs, converse({ link, tag, settings, inbox, progress, onEpoch }));
    return { ...progress, endedBy: undefined };
  } catch (error) {
    if (error instanceof FirebreakError) return { ...progress, endedBy: error.code, why: error.message };
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    inbox.close();
    await link.close();
  }
}

/** Rejects with `timeout` when the talk takes longer; it finds its link closed then. */
async function within(limitMs: number, talk: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const failure = new FirebreakError('timeout', 'the session took too long');
    timer = setTimeout(() => reject(failure), limitMs);
  });
  await Promise.race([talk, late]).finally(() => clearTimeout(timer));
}

interface Talk {
  readonly link: Link;
  readonly tag: SessionTag;
  readonly settings: SessionSettings;
  readonly inbox: NotificationInbox;
  readonly progress: { accepted: number };
  readonly onEpoch: (epoch: number) => void;
}

async function converse(talk: Talk): Promise<void> {
  const { link, tag, settings, inbox } = talk;
  if (link.payloadBytes < LEAST_PAYLOAD_BYTES)
    throw new FirebreakError('size', 'the connection carries too little at a time');
  const hello = openHello(await link.read('hello'), tag.issuerPublicKey);
  const unsaved = met(tag, hello);
  const epoch = tag.epoch();
  talk.onEpoch(epoch);
  await link.subscribe('receipt', inbox.push);
  let failure = unsaved ?? (await deliverAll(talk, hello, epoch));
  try {
    const notTaken = tag.awaitsPack ? await fetchPack(talk) : undefined;
    failure ??= notTaken;
    if (settings.withNotices)
      for await (const notice of readNotices(link, tag.issuerPublicKey, tag.random))
        tag.readNotices([notice]);
  } catch (error) {
    throw failure ?? error; // what came first says more
  }
  if (failure !== undefined) throw failure;
}

/** A disk that did not take what the hello changes; the tag goes by it all the same. Throws for a hello not to be believed. */
function met(tag: SessionTag, hello: Hello): Error | undefined {
  try {
    tag.meet(hello);
    return undefined;
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    return asError(error);
  }
}

/** Why not all that waits was delivered, where the gateway still answers. Throws when the session is over. */
async function deliverAll(talk: Talk, hello: Hello, epoch: number): Promise<Error | undefined> {
  const { tag, settings } = talk;
  for (let count = 0; count < settings.maxReports; count += 1) {
    requireEpoch(tag, epoch);
    let report: Uint8Array | undefined;
    try {
      report = tag.nextReport(hello);
    } catch (error) {
      return asError(error);
    }
    if (report === undefined) return undefined;
    const failure = await deliver(talk, hello, report, epoch);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function deliver(
  { link, tag, settings, inbox, progress }: Talk,
  hello: Hello,
  report: Uint8Array,
  epoch: number,
): Promise<Error | undefined> {
  const hash = reportHash(report);
  for (const piece of uploadWrites(report, link.payloadBytes)) {
    requireEpoch(tag, epoch);
    await link.write('upload', piece);
  }
  const uploaded = performance.now(); // before that the link's own time-outs bound each write
  for (;;) {
    const leftMs = settings.receiptTimeoutMs - (performance.now() - uploaded);
    const receipt = openTagReceipt(await inbox.next(leftMs, link.closed), hello.certificate.gatewayPublicKey);
    if (!equalBytes(receipt.reportHash, hash)) continue; // of an upload this tag had given up waiting for
    if (receipt.refusal === undefined) progress.accepted += 1;
    return settled(tag, receipt);
  }
}

/** A refusal, or a disk that did not take what the receipt changes. */
function settled(tag: SessionTag, receipt: TagReceipt): Error | undefined {
  try {
    tag.settle(receipt);
  } catch (error) {
    return asError(error);
  }
  if (receipt.refusal === undefined) return undefined;
  return new FirebreakError(receipt.refusal, 'the gateway refused the report');
}

function requireEpoch(tag: SessionTag, epoch: number): void {
  if (tag.epoch() !== epoch) throw new FirebreakError('epoch', 'the epoch ended during the session');
}

/** Why the tag did not take its pack. One that is not this tag's cannot be opened with its reply key, and is left alone. */
async function fetchPack({ link, tag }: Talk): Promise<Error | undefined> {
  const sealed = await readRefresh(link, 'pack');
  if (sealed === undefined) return undefined;
  try {
    tag.takePack(sealed);
    return undefined;
  } catch (error) {
    const isAnothers = error instanceof FirebreakError && error.code === 'sealing';
    return isAnothers ? undefined : asError(error);
  }
}
