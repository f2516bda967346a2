/** Sealed reports that stream into a ledger from a gateway in a process of its own (stream-run.ts), as the bench sees it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Small reports, at a rate that the reading of one core takes many times over (`npm run bench -- open`). */
export const STREAM = { records: 8, reportsPerSecond: 200, seconds: 30 } as const;

/** Seconds from the first report to the last receipt. */
export interface Streamed {
  readonly reports: number;
  readonly seconds: number;
}

export type FromStream = 'ready' | Streamed | { readonly failed: string };

export interface Stream {
  /** Once. */
  run(): Promise<Streamed>;
  end(): Promise<void>;
}

/** Until all reports are sealed and the ledger knows the gateway. `dir`: of a deployment whose ledger runs. */
export async function startStream(dir: string): Promise<Stream> {
  const child = fork(fileURLToPath(new URL('./stream-run.js', import.meta.url)), [dir]);
  const exited = once(child, 'exit');
  const gone = exited.then((): never => {
    throw new Error('the process that streams reports is gone');
  });
  gone.catch(() => undefined);
  const said = async (): Promise<FromStream> => {
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [FromStream];
    if (typeof message === 'object' && 'failed' in message) throw new Error(message.failed);
    return message;
  };
  await said();
  return {
    run: async () => {
      child.send('go');
      return (await said()) as Streamed;
    },
    end: async () => {
      child.kill();
      await exited;
    },
  };
}
