import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { decodeTlogSize, TLOG_SIZE_TYPE } from '../../protocol/tlog/add-checkpoint.js';
import { cosignedAt } from '../../protocol/tlog/cosignature.js';
import { openNote, type NoteSigner } from '../../protocol/tlog/note.js';
import { program } from '../program.js';
import { logView, manyLogs, type LogView } from './log-views.js';
import { cosignerNamed, temporaryFolder } from './running-witness.js';

const CHILD = new URL('./crash-child.ts', import.meta.url);
const LENGTH = 80;
/** Two views that have no entry in common. */
const views = [logView('one', 0, LENGTH), logView('two', 0, LENGTH)] as const;
const cosigner = cosignerNamed('crash');
const LOGS_A_ROUND = 10;

/** A cosignature that was answered, and checked. */
interface Cosigned {
  readonly origin: string;
  readonly view: LogView;
  readonly size: number;
}

/** Shows one view of a log to the witness, as it grows, until it is refused or the witness is gone. */
async function show(
  url: string,
  signer: NoteSigner,
  view: LogView,
  onTold: (one: Cosigned) => void,
): Promise<void> {
  let old = 0;
  let next = 1;
  while (next <= LENGTH) {
    const body = await view.request(old, next, signer);
    const answer = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(20_000),
    });
    const text = await answer.text();
    if (answer.status === 200) {
      const note = openNote(view.note(next, signer) + text, [signer]);
      expect(cosignedAt(note.text, note.unverified, cosigner)).toBeGreaterThan(0);
      onTold({ origin: signer.name, view, size: next });
      old = next;
      next += 1 + (next % 7);
    } else if (answer.headers.get('content-type') === TLOG_SIZE_TYPE) {
      old = decodeTlogSize(Buffer.from(text));
      next = Math.max(next, old);
    } else return;
  }
}

async function runChild(dir: string) {
  const child = spawn(process.execPath, [program(CHILD), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('close', (code) => reject(new Error(`the witness ended with ${code} before it listened`)));
  });
  const kill = (): Promise<void> => {
    child.kill('SIGKILL');
    return gone;
  };
  return { url, kill };
}

/** Runs the witness, shows it both views of some logs at once, and kills it once it gave so many cosignatures. */
async function runAndKill(dir: string, logs: readonly NoteSigner[], killAfter: number): Promise<Cosigned[]> {
  const { url, kill } = await runChild(dir);
  const told: Cosigned[] = [];
  let killing: Promise<void> | undefined;
  const onTold = (one: Cosigned): void => {
    told.push(one);
    if (told.length >= killAfter) killing ??= kill();
  };
  // now the one view comes first, now the other
  const orders = [views, views.toReversed()];
  const showing = logs.flatMap((signer, i) =>
    (orders[(i + killAfter) % 2] ?? views).map((view) => show(url, signer, view, onTold)),
  );
  for (const one of await Promise.allSettled(showing)) {
    const isGone = one.status === 'rejected' && one.reason instanceof TypeError; // so fetch says it
    if (one.status === 'rejected' && !isGone) throw one.reason;
  }
  if (killing === undefined) await kill();
  await killing;
  return told;
}

test('killed again and again under load, a witness never cosigns two views', async () => {
  const dir = await temporaryFolder();
  const told: Cosigned[] = [];
  for (const [round, killAfter] of [1, 4, 9, 30, 45].entries()) {
    // the logs of the round before are shown again: what was cosigned then still binds
    const logs = manyLogs.slice(Math.max(0, round - 1) * LOGS_A_ROUND, (round + 1) * LOGS_A_ROUND);
    const heard = await runAndKill(dir, logs, killAfter);
    expect(heard.length).toBeGreaterThanOrEqual(killAfter);
    told.push(...heard);
    for (const { name } of logs) {
      const ofLog = told.filter(({ origin }) => origin === name);
      expect(new Set(ofLog.map(({ view }) => view)).size, name).toBeLessThanOrEqual(1);
      const sizes = ofLog.map(({ size }) => size);
      expect(sizes, name).toEqual([...sizes].sort((a, b) => a - b));
    }
  }
  expect(new Set(told.map(({ view }) => view)).size).toBe(2); // each view won somewhere
});
