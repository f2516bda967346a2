/**
 * A soak of real noble and bleno over BlueZ's controller emulator: 6 tags bring full reports to 2 gateways, each a process
 * of its own with two controllers (16 are the emulator's limit). Prints one JSON line.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { toHex } from '../protocol/bytes.js';
import { x25519KeyPair } from '../protocol/crypto/x25519.js';
import { startEmulator } from '../test/ble/emulator.js';
import type { FromNode, GatewayResult, NodePlan, TagResult, ToNode } from './ble-plan.js';
import { quantile } from './trace/figures.js';

const TAGS = 6;
const GATEWAYS = 2;
const RECORDS = 128;
const EVERY_MS = 500;
const GOAL_MS = 300;
const DEFAULT_MINUTES = 10;
/** Memory is looked at for the first time when the libraries, and the code, are warm. */
const WARM_MS = 20_000;
const ANSWER_MS = 90_000;

class Node {
  readonly #child: ChildProcess;
  readonly role: NodePlan['role'];

  constructor(plan: NodePlan) {
    this.role = plan.role;
    const program = fileURLToPath(new URL('./ble-node.js', import.meta.url));
    this.#child = fork(program, [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.tell({ kind: 'plan', plan });
  }

  tell(message: ToNode): void {
    this.#child.send(message);
  }

  /** The next message of this kind. Throws when the process ends first, or takes too long. */
  hear<Kind extends FromNode['kind']>(
    kind: Kind,
    withinMs: number,
  ): Promise<Extract<FromNode, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`a ${this.role} said no ${kind} in time`)), withinMs);
      const onExit = (): void => reject(new Error(`a ${this.role} ended before it said ${kind}`));
      const onMessage = (message: FromNode): void => {
        if (!isOf(message, kind)) return;
        clearTimeout(timer);
        this.#child.off('exit', onExit);
        this.#child.off('message', onMessage);
        resolve(message);
      };
      this.#child.once('exit', onExit);
      this.#child.on('message', onMessage);
    });
  }

  async megabytes(): Promise<number> {
    const answer = this.hear('memory', ANSWER_MS);
    this.tell({ kind: 'memory' });
    return Math.round((await answer).bytes / 1e6);
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

const isOf = <Kind extends FromNode['kind']>(
  message: FromNode,
  kind: Kind,
): message is Extract<FromNode, { kind: Kind }> => message.kind === kind;

interface Soak {
  readonly tags: readonly TagResult[];
  readonly gateways: readonly GatewayResult[];
  /** Of each process, tags first: MB. */
  readonly memoryBefore: readonly number[];
  readonly memoryAfter: readonly number[];
}

async function soak(nodes: readonly Node[], minutes: number): Promise<Soak> {
  const tags = nodes.filter(({ role }) => role === 'tag');
  const gateways = nodes.filter(({ role }) => role === 'gateway');
  await Promise.all(nodes.map((node) => node.hear('up', ANSWER_MS)));
  const endMs = performance.now() + minutes * 60_000;
  await pause(Math.min(WARM_MS, minutes * 30_000));
  const memoryBefore = await Promise.all(nodes.map((node) => node.megabytes()));
  await pause(Math.max(0, endMs - performance.now()));
  const memoryAfter = await Promise.all(nodes.map((node) => node.megabytes()));
  const ofTags = await Promise.all(tags.map((tag) => stopped(tag, 'tag')));
  const ofGateways = await Promise.all(gateways.map((gateway) => stopped(gateway, 'gateway')));
  return {
    tags: ofTags.map(({ result }) => result),
    gateways: ofGateways.map(({ result }) => result),
    memoryBefore,
    memoryAfter,
  };
}

function stopped<Kind extends 'tag' | 'gateway'>(node: Node, kind: Kind) {
  const result = node.hear(kind, ANSWER_MS);
  node.tell({ kind: 'stop' });
  return result;
}

function figuresOf({ tags, gateways, memoryBefore, memoryAfter }: Soak) {
  const kept = new Set(gateways.flatMap((gateway) => gateway.kept));
  const receipted = tags.flatMap((tag) => tag.receipted);
  const reports = tags.reduce((sum, tag) => sum + tag.reports, 0);
  const sessionMs = tags.flatMap((tag) => tag.sessionMs);
  const median = round(quantile(sessionMs, 0.5));
  const retried = addedUp(tags.map((tag) => tag.retried));
  return {
    sessions: sessionMs.length,
    retried: Object.values(retried).reduce((sum, count) => sum + count, 0),
    retriedFor: retried,
    /** Without a receipt in the end, or with one for what no gateway kept. */
    lost: reports - receipted.filter((hash) => kept.has(hash)).length,
    sessionMs: {
      median,
      p99: round(quantile(sessionMs, 0.99)),
      goalMedian: GOAL_MS,
      ratio: round(GOAL_MS / median),
    },
    connectMs: {
      median: round(
        quantile(
          tags.flatMap((tag) => tag.connectMs),
          0.5,
        ),
      ),
    },
    ended: gateways.reduce((sum, { timedOut }) => sum + timedOut, 0),
    beaconsHeard: [...tags, ...gateways].reduce((sum, { beaconsHeard }) => sum + beaconsHeard, 0),
    memoryMb: { before: memoryBefore, after: memoryAfter },
  };
}

function addedUp(counts: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const [reason, count] of counts.flatMap((each) => Object.entries(each)))
    sums[reason] = (sums[reason] ?? 0) + count;
  return sums;
}

const round = (value: number): number => Number(value.toFixed(1));

/** Throws when anything was lost. */
export async function benchBle(minutesText?: string): Promise<void> {
  const minutes = Number(minutesText ?? DEFAULT_MINUTES);
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  const emulator = await startEmulator();
  const shared = {
    socket: emulator.socket,
    stack: 'abandonware',
    issuerSeed: toHex(randomBytes(32)),
    sealingPublicKey: toHex(x25519KeyPair().publicKey),
    records: RECORDS,
    everyMs: EVERY_MS,
  } as const;
  const roles = [...Array<'tag'>(TAGS).fill('tag'), ...Array<'gateway'>(GATEWAYS).fill('gateway')];
  const nodes = roles.map((role) => new Node({ ...shared, role }));
  try {
    const figures = figuresOf(await soak(nodes, minutes));
    const setting = { minutes, tags: TAGS, gateways: GATEWAYS, records: RECORDS, stack: shared.stack };
    console.log(
      JSON.stringify({ bench: 'ble', cpu: cpus()[0]?.model, cores: cpus().length, ...setting, ...figures }),
    );
    if (figures.lost > 0) throw new Error(`${figures.lost} reports were lost`);
  } finally {
    for (const node of nodes) node.end();
    await emulator.stop();
  }
}
